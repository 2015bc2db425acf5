"""The guard says to the database what a caller may see: nothing before it knows who that is."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse

from handrail import sight
from handrail.access.guard import Guard
from handrail.access.rates import Rates
from handrail.access.tokens import Tokens
from tests.inner import inner_token

KEY = "a-secret-of-these-tests"
MINE, OPEN, PAGE = "/fhir/R4/Flag", "/health/live", "/"


def app(*, is_required: bool) -> FastAPI:
    """Answers what is seen when an answer is made, and when it is sent."""
    guard = Guard("alerts", Tokens(None, "us", KEY), Rates("9/second"), is_required=is_required)
    made = FastAPI(dependencies=[Depends(guard)])

    async def told() -> StreamingResponse:
        before = sight.present()

        async def parts() -> AsyncIterator[str]:
            assert sight.present() == before
            yield repr(before)

        return StreamingResponse(parts())

    for path in (MINE, OPEN, PAGE):
        made.add_api_route(path, told)
    return made


def token(*programs: str) -> str:
    return inner_token(KEY, "system", *programs)


async def seen(path: str, *programs: str, is_required: bool = True, has_token: bool = True) -> str:
    transport = httpx.ASGITransport(app(is_required=is_required))
    headers = {"authorization": f"Bearer {token(*programs)}"} if has_token else {}
    # As if the task had seen all before.
    with sight.seeing(None):
        async with httpx.AsyncClient(transport=transport, base_url="http://us") as client:
            return (await client.get(path, headers=headers)).text


@pytest.mark.parametrize(
    ("programs", "expected"),
    [(("b", "a"), "('a', 'b')"), (("*",), "None"), ((), "()")],
)
async def test_a_caller_sees_the_programmes_of_their_token(
    programs: tuple[str, ...], expected: str
) -> None:
    assert await seen(MINE, *programs) == expected


async def test_a_route_that_asks_for_nothing_and_the_page_before_its_sign_in_see_nothing() -> None:
    assert [await seen(path, "*") for path in (OPEN, PAGE)] == ["()", "()"]
    assert await seen(PAGE, is_required=False, has_token=False) == "()"


async def test_who_calls_on_loopback_without_a_token_sees_all() -> None:
    assert await seen(MINE, is_required=False, has_token=False) == "None"
