"""Calls with one command each that come at the same moment are carried out in one transaction."""

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from handrail import sight
from handrail.receipts import Result
from handrail.sight import Sight
from handrail.telemetry import current_traceparent
from handrail.transient import TRANSIENT

C = TypeVar("C")
# The commands of some calls, and the traceparent of each; one result each.
CarryOut: TypeAlias = Callable[
    [Sequence[C], Sequence[str | None]], Coroutine[Any, Any, list[Result]]
]

# Few transactions at a time have many calls each. Where one takes so long that it waits for a lock,
# those that came meanwhile go another way.
LANES, MOST_LANES = 2, 4
SLOW_SECONDS = 0.05
MOST = 50


@dataclass(slots=True)
class _Call(Generic[C]):
    command: C
    sight: Sight
    cause: str | None
    context: contextvars.Context
    answer: "asyncio.Future[Result]"


@dataclass
class Together(Generic[C]):
    """Where such calls wait. One that comes alone waits for nothing."""

    carry_out: CarryOut[C]
    _waiting: deque[_Call[C]] = field(default_factory=deque)
    _lanes: set["asyncio.Task[None]"] = field(default_factory=set)
    # The first call of each transaction under way that takes long.
    _slow: set["asyncio.Future[Result]"] = field(default_factory=set)

    async def take(self, command: C) -> Result:
        """The result of one command. Raises what carrying it out raises."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        context = contextvars.copy_context()
        call = _Call(command, sight.present(), current_traceparent(), context, answer)
        self._waiting.append(call)
        self._open_lane()
        return await answer

    def _open_lane(self) -> None:
        if self._waiting and len(self._lanes) < min(LANES + len(self._slow), MOST_LANES):
            lane = asyncio.create_task(self._serve())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)

    async def _serve(self) -> None:
        while self._waiting:
            calls = [self._waiting.popleft()]
            while (
                self._waiting
                and len(calls) < MOST
                # What a transaction may see is one caller's, or the same for all.
                and self._waiting[0].sight == calls[0].sight
            ):
                calls.append(self._waiting.popleft())
            late = asyncio.get_running_loop().call_later(SLOW_SECONDS, self._is_slow, calls[0])
            try:
                await self._answer(calls)
            finally:
                late.cancel()
                self._slow.discard(calls[0].answer)

    def _is_slow(self, first: _Call[C]) -> None:
        self._slow.add(first.answer)
        self._open_lane()

    async def _answer(self, calls: Sequence[_Call[C]]) -> None:
        """Below the first call's span; where they fail together, each is tried alone."""
        commands, causes = [call.command for call in calls], [call.cause for call in calls]
        work = asyncio.create_task(self.carry_out(commands, causes), context=calls[0].context)
        try:
            results = await work
        except TRANSIENT as error:
            _fail(calls, error)
        except Exception as error:  # noqa: BLE001  # it is the callers', each of which answers for it
            if len(calls) == 1:
                _fail(calls, error)
                return
            for call in calls:
                await self._answer([call])
        else:
            for call, result in zip(calls, results, strict=True):
                # Who has gone meanwhile waits for no answer.
                if not call.answer.done():
                    call.answer.set_result(result)


def _fail(calls: Sequence[_Call[C]], error: Exception) -> None:
    for call in calls:
        if not call.answer.done():
            call.answer.set_exception(error)
