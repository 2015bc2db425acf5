"""What an assessment says: two chances, the score, and the reasons that add up to it."""

import msgspec


class Reason(msgspec.Struct, array_like=True, frozen=True):
    """One line of the sum: its code, its points, and the numbers its words need."""

    code: str
    points: float
    numbers: tuple[float | int | str, ...] = ()


class Assessment(msgspec.Struct, array_like=True, frozen=True):
    """Chance (0 to 1) of no attended session in the next 28 and 14 days, and the sum behind it."""

    risk28: float
    risk14: float
    score: float
    reasons: tuple[Reason, ...]
