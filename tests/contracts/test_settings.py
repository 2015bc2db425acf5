"""The page of settings names every setting of a service, and none that there is not."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

from handrail.settings import PREFIX, FromEnvironment

ROOT = Path(__file__).parents[2]
# Handed over by whoever starts a service, from one process to another.
HANDED_OVER = {"HANDRAIL_HTTP_FD", "HANDRAIL_MLLP_FD"}
# A process's name: every program that is started has one, checked or not.
NOT_CHECKED = {"HANDRAIL_INSTANCE"}


def _kinds() -> Iterator[type[FromEnvironment]]:
    """Every class of settings in a service or in the kit."""
    for folder in ("shared", "services"):
        for path in (ROOT / folder).rglob("*.py"):
            found = re.findall(
                r"^class (\w+)\((?:FromEnvironment|\w*Settings)\)", path.read_text(), re.MULTILINE
            )
            module = ".".join(path.relative_to(ROOT / folder).with_suffix("").parts)
            for name in found:
                yield getattr(importlib.import_module(module), name)


def test_the_page_names_every_setting_of_a_service_and_no_other() -> None:
    fields = {f"{PREFIX}{name}".upper() for kind in _kinds() for name in kind.model_fields}
    page = (ROOT / "docs" / "settings.md").read_text()
    named = set(re.findall(r"HANDRAIL_[A-Z0-9_]+", page.partition("## Every service")[2]))

    assert named - NOT_CHECKED == fields - HANDED_OVER
