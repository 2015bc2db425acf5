"""What a scene of a drill of alarms is."""

import abc
from typing import ClassVar

from operate.drill.alarms.ground import Ground
from operate.errors import OperateError

# By alarm: the steps of its page that are carried out.
Steps = dict[str, tuple[str, ...]]
READY = "GET /health/ready"
STATUS = "GET /status"
LOGS = "./handrail logs SERVICE"


class Scene(abc.ABC):
    """One thing that goes wrong.

    The alarms in `fires` come while it is so; those in `fires_later` once it was put right, because
    what waited then comes late.
    """

    fires: ClassVar[Steps] = {}
    fires_later: ClassVar[Steps] = {}

    @abc.abstractmethod
    async def breaks(self, ground: Ground) -> None:
        """Make it go wrong."""

    @abc.abstractmethod
    async def mends(self, ground: Ground) -> None:
        """Put it right as the pages say."""

    async def looks(self, ground: Ground) -> None:
        """Do what the pages of `fires_later` say, once those fire."""
        del ground


def expect(is_so: object, what: str) -> None:
    """Raise OperateError where a page leads somewhere else than it says."""
    if not is_so:
        message = f"the page is wrong: {what} was expected."
        raise OperateError(message)
