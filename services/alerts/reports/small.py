"""No cell of fewer than 11 people is shown, nor one that the others give away. Pure.

11 is the least cell of the Centers for Medicare & Medicaid Services' policy; here a zero is hidden
as well. What is left out of a total is hidden too where it is small, and two or more cells of a
table are hidden together, so that the total does not give one away.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace

from alerts.reports.figures import Figure

LEAST = 11
# Who counts in the second of these counts in the first: their difference is a cell too.
NESTS = {
    "follow_up_after_hospital": "hospital",
    "seen_after_programme": "next_place",
    "initiation": "beginning",
    "engagement": "beginning",
}


def suppressed(figures: Iterable[Figure]) -> list[Figure]:
    """The figures as they may be shown."""
    shown = list(figures)
    tables: dict[str, list[int]] = defaultdict(list)
    nested: dict[tuple[str, int], list[int]] = defaultdict(list)
    for place, figure in enumerate(shown):
        if figure.group:
            tables[figure.group].append(place)
            continue
        shown[place] = _alone(figure)
        if figure.of is not None and figure.measure in NESTS:
            nested[NESTS[figure.measure], figure.of].append(place)
    for places in tables.values():
        hide = _together([shown[place] for place in places])
        for place, is_hidden in zip(places, hide, strict=True):
            if is_hidden:
                shown[place] = _hidden(shown[place])
    for places in nested.values():
        _apart(shown, places)
    return shown


def _alone(figure: Figure) -> Figure:
    """A share shows two cells: those who did and those who did not."""
    if figure.people < LEAST or (figure.of is not None and figure.of < LEAST):
        return replace(_hidden(figure), of=None)
    n = figure.n
    if n is None:
        return figure
    if n < LEAST or (figure.of is not None and figure.of - n < LEAST):
        return _hidden(figure)
    return figure


def _together(table: Sequence[Figure]) -> list[bool]:
    """Which cells of a table to hide; its last row is the total.

    Small ones, and then the next smallest until those hidden are two or more and add up to 11.
    """
    *cells, total = [figure.n or 0 for figure in table]
    if table[-1].people < LEAST:
        return [True] * len(table)
    hidden = {place for place, n in enumerate(cells) if n < LEAST}
    order = sorted((n, place) for place, n in enumerate(cells) if place not in hidden)
    while hidden and order and (len(hidden) < 2 or sum(cells[p] for p in hidden) < LEAST):
        hidden.add(order.pop(0)[1])
    return [*(place in hidden for place in range(len(cells))), total < LEAST]


def _apart(shown: list[Figure], places: list[int]) -> None:
    """Nested counts over the same people lie 11 apart, or the smaller is hidden."""
    seen = sorted((n, place) for place in places if (n := shown[place].n) is not None)
    above: int | None = None
    for n, place in reversed(seen):
        if above is not None and above - n < LEAST:
            shown[place] = _hidden(shown[place])
        else:
            above = n


def _hidden(figure: Figure) -> Figure:
    return replace(
        figure,
        people=0,
        n=None,
        value=None,
        of=None if figure.group else figure.of,
        suppressed=True,
    )
