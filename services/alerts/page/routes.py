"""The page, put together: sign-in, the list, and what they are dressed in."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from alerts.page import (
    doors,
    issuer,
    machine,
    people,
    privacy,
    quality_page,
    reports,
    rosters,
    team,
    today,
)
from alerts.page.doors import Doors
from alerts.page.live import Changes
from alerts.page.neighbours import Neighbours
from alerts.page.oidc import Provider
from alerts.page.settings import PageSettings
from alerts.page.show import HEADERS, Pages
from alerts.rules import Ladder
from handrail.access.guard import is_loopback
from handrail.configured import read
from handrail.service import Service
from handrail.settings import Settings

STATIC = Path(__file__).parent / "static"
TYPES = {
    "page.css": "text/css",
    "page.js": "text/javascript",
    "roster.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}


def install(service: Service, ladder: Ladder) -> None:
    """Put the page on a service."""
    settings = read(PageSettings, service.name)
    base = _base(settings, service.settings)
    pages = Pages(settings.session_idle_minutes * 60, settings.trace_url)
    app = service.app
    everybody = settings.development_issuer
    if everybody is None:
        everybody = is_loopback(service.settings.http_host)
    if settings.oidc_issuer is None and everybody:
        app.include_router(
            issuer.routes(base, settings.oidc_client_id, service.access.access_audience, pages.show)
        )
    way_in = Doors(service.api_pool, pages, settings, base, _provider(settings, base))
    changes = Changes(service.work_pool, lambda: service.is_stopping)
    service.loops.append(changes.run)
    service.after_commit.append(changes.ring)
    doors.install(app, way_in)
    app.include_router(today.routes(way_in, changes))
    neighbours = Neighbours(settings, service.access.inner_auth(service.name))
    app.include_router(people.routes(way_in, service.committed, ladder, neighbours))
    app.include_router(rosters.routes(way_in, neighbours))
    app.include_router(team.routes(way_in))
    app.include_router(machine.routes(way_in, service, neighbours))
    app.include_router(quality_page.routes(way_in))
    app.include_router(privacy.routes(way_in, neighbours))
    app.include_router(reports.routes(way_in))
    app.include_router(_dress())


def _base(settings: PageSettings, service: Settings) -> str:
    if settings.page_url:
        return str(settings.page_url).rstrip("/")
    return f"http://{service.http_host}:{service.http_port}"


def _provider(settings: PageSettings, base: str) -> Provider:
    given = str(settings.oidc_issuer) if settings.oidc_issuer else None
    # A provider's name is compared letter by letter; pydantic adds a slash to a bare host.
    named = given.rstrip("/") if given and given.count("/") == 3 else given
    return Provider(
        named or f"{base}{issuer.PATH}",
        settings.oidc_client_id,
        settings.oidc_client_secret.get_secret_value(),
        settings.oidc_scope,
    )


def _dress() -> APIRouter:
    router = APIRouter(prefix="/page", include_in_schema=False)
    for name, media_type in TYPES.items():

        @router.get(f"/{name}", name=name)
        async def get_file(name: str = name, media_type: str = media_type) -> FileResponse:
            return FileResponse(STATIC / name, media_type=media_type, headers=HEADERS)

    return router
