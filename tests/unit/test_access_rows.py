"""Every route has a line in the table."""

import pytest
from fastapi import APIRouter, FastAPI

from handrail.access.guard import require_rows
from handrail.access.table import Row

ROW = {"GET /v1/things": Row(("care",), "all")}


def made(*paths: str) -> FastAPI:
    app, router = FastAPI(), APIRouter(prefix="/v1")
    for path in paths:

        @router.get(path)
        async def get_thing() -> None:
            return None

    app.include_router(router)
    return app


def test_a_service_with_a_route_that_has_no_line_does_not_start() -> None:
    require_rows(made("/things"), ROW)

    with pytest.raises(LookupError, match="GET /v1/others"):
        require_rows(made("/things", "/others"), ROW)


def test_a_service_without_routes_does_not_start_either() -> None:
    with pytest.raises(LookupError):
        require_rows(FastAPI(), ROW)
