"""The page of metrics is made from the code, and no label can name a person."""

from pathlib import Path

from handrail import metrics

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"
LABELS = {"method", "route", "status", "loop", "error", "topic", "state", "level", "part"}


def test_the_page_of_metrics_is_made_from_the_code() -> None:
    assert PAGE.read_text() == metrics.documented()


def test_every_label_is_one_of_a_few() -> None:
    used = {label for labels in metrics._LABELS.values() for label in labels}

    assert used == LABELS
