"""Who comes in: the session of a request, the check of a form, and the ways in and out."""

import secrets
from datetime import timedelta
from hmac import compare_digest
from urllib.parse import parse_qsl, urlencode, urlsplit

import asyncpg
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import RedirectResponse

from alerts.page import sessions
from alerts.page.access import Member, NotAllowed, NotSignedIn, Right
from alerts.page.oidc import Provider, SignInFailed
from alerts.page.settings import PageSettings
from alerts.page.show import LANGUAGE_COOKIE, Pages, inside
from alerts.page.texts import LANGUAGES
from handrail import sight

FORM_LIMIT = 64 * 1024


class Doors:
    """Knows the provider, the cookies and the sessions."""

    def __init__(
        self,
        pool: asyncpg.Pool,
        pages: Pages,
        settings: PageSettings,
        base: str,
        provider: Provider,
    ) -> None:
        """`base` is where browsers reach the page."""
        self.pool, self.pages, self.settings = pool, pages, settings
        self.base, self.provider = base, provider
        parts = urlsplit(base)
        self.is_secure = parts.scheme == "https"
        # A browser keeps the cookies of all ports of a host together.
        self.cookie = "__Host-handrail" if self.is_secure else f"handrail_{parts.port or 80}"
        self.idle = timedelta(minutes=settings.session_idle_minutes)

    async def member(self, request: Request, right: Right, *, touch: bool = True) -> Member:
        """Who asks, if their role has `right`. Raises NotSignedIn or NotAllowed."""
        async with self.pool.acquire() as conn:
            found = await sessions.member(
                conn, request.cookies.get(self.cookie), self.idle, touch=touch
            )
        if not found.may(right):
            raise NotAllowed
        sight.see(found.programs)
        return found

    async def form(self, request: Request, right: Right) -> tuple[Member, dict[str, str]]:
        """Who sends a form of ours, and its fields. Raises NotSignedIn or NotAllowed."""
        found = await self.member(request, right)
        body = await request.body()
        if len(body) > FORM_LIMIT:
            raise NotAllowed
        fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
        origin = request.headers.get("origin", self.base)
        # As bytes: texts are compared only where they are ASCII.
        form = fields.pop("form", "").encode()
        if origin != self.base or not compare_digest(form, found.forms.encode()):
            raise NotAllowed
        return found, fields


def install(app: FastAPI, doors: Doors) -> None:
    """The ways in and out, and what to answer to who may not come in."""

    async def on_not_signed_in(request: Request, _error: Exception) -> Response:
        if request.url.path == "/live":
            return Response(status_code=204)
        path = request.url.path
        has_page = request.method == "GET" or path.startswith("/roster/")
        query = urlencode({"next": inside(path) if has_page else "/"})
        over = "&over=1" if request.cookies.get(doors.cookie) else ""
        return RedirectResponse(f"/sign-in?{query}{over}", 303)

    async def on_not_allowed(request: Request, _error: Exception) -> Response:
        return doors.pages.show(request, "message.html", {"words": "not_allowed"}, status=403)

    async def on_sign_in_failed(request: Request, _error: Exception) -> Response:
        return doors.pages.show(request, "message.html", {"words": "no_role"}, status=403)

    app.add_exception_handler(NotSignedIn, on_not_signed_in)
    app.add_exception_handler(NotAllowed, on_not_allowed)
    app.add_exception_handler(SignInFailed, on_sign_in_failed)
    app.include_router(_routes(doors))


def _routes(doors: Doors) -> APIRouter:  # noqa: C901  # one short function a route
    router = APIRouter(include_in_schema=False)
    pages, back = doors.pages, f"{doors.base}/sign-in/back"

    @router.get("/sign-in")
    async def get_sign_in(request: Request, over: str = "") -> Response:
        words = "session_over" if over == "1" else "signed_out" if over == "2" else "welcome"
        goes_to = inside(request.query_params.get("next", "/"))
        return pages.show(request, "sign_in.html", {"words": words, "goes_to": goes_to})

    @router.get("/sign-in/begin")
    async def get_begin(request: Request) -> Response:
        goes_to = inside(request.query_params.get("next", "/"))
        if request.url.netloc != urlsplit(doors.base).netloc:
            return RedirectResponse(f"{doors.base}/sign-in?{urlencode({'next': goes_to})}", 303)
        begun, cookie = await doors.provider.begin(back), secrets.token_urlsafe(32)
        async with doors.pool.acquire() as conn, conn.transaction():
            await sessions.begin(conn, begun, cookie, goes_to)
        answer = RedirectResponse(begun.address, 303)
        # Lax: the provider, elsewhere, sends the browser back by a plain link.
        _set(answer, doors, f"{doors.cookie}_begun", cookie, site="lax", seconds=600)
        return answer

    @router.get("/sign-in/back")
    async def get_back(request: Request, state: str = "", code: str = "") -> Response:
        cookie = request.cookies.get(f"{doors.cookie}_begun", "")
        async with doors.pool.acquire() as conn:
            taken = await sessions.take(conn, state, cookie)
        if taken is None or not code:
            return pages.show(request, "message.html", {"words": "used_link"}, status=400)
        identity = await doors.provider.finish(
            back, code, verifier=taken.verifier, nonce=taken.nonce
        )
        async with doors.pool.acquire() as conn:
            secret = await sessions.start(conn, identity, doors.settings.session_hours)
        # A page of our own, not a redirect: a strict cookie does not travel on one from elsewhere.
        answer: Response = pages.show(request, "signed_in.html", {"goes_to": taken.goes_to})
        hours = doors.settings.session_hours
        _set(answer, doors, doors.cookie, secret, site="strict", seconds=int(hours * 3600))
        answer.delete_cookie(f"{doors.cookie}_begun")
        return answer

    @router.post("/sign-out")
    async def post_sign_out(request: Request) -> Response:
        found = None
        for right in ("people", "operate"):
            try:
                found, _ = await doors.form(request, right)
                break
            except NotAllowed:
                continue
        if found is None:
            raise NotAllowed
        async with doors.pool.acquire() as conn:
            await sessions.end(conn, found.hidden_id)
        answer = RedirectResponse("/sign-in?over=2", 303)
        answer.delete_cookie(doors.cookie)
        return answer

    @router.get("/language/{language}")
    async def get_language(request: Request, language: str) -> Response:
        answer = RedirectResponse(inside(request.query_params.get("next", "/")), 303)
        if language in LANGUAGES:
            answer.set_cookie(
                LANGUAGE_COOKIE, language, max_age=31_536_000, httponly=True, samesite="strict"
            )
        return answer

    return router


def _set(answer: Response, doors: Doors, name: str, value: str, *, site: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=True,
        secure=doors.is_secure,
        samesite="strict" if site == "strict" else "lax",
    )
