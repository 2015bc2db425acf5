"""Pages made from templates, in the reader's language, under a strict content security policy."""

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from alerts.page.access import Member
from alerts.page.texts import LANGUAGES, phrase, sentence, speaker

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "geolocation=(), camera=(), microphone=()",
}
LANGUAGE_COOKIE = "handrail_language"


class Pages:
    """Makes pages; `idle_seconds` is when a page locks itself."""

    def __init__(self, idle_seconds: float, trace_url: str | None = None) -> None:
        """Load the templates once. `trace_url` shows a trace, with `{trace_id}` in its place."""
        self.idle_seconds, self.trace_url = idle_seconds, trace_url
        self.templates = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def show(
        self,
        request: Request,
        name: str,
        fields: dict[str, Any],
        member: Member | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        """One page."""
        language = language_of(request)
        text = self.templates.get_template(name).render(
            say=speaker(language),
            phrase=lambda words: sentence(phrase(words, language)),
            language=language,
            other_language=LANGUAGES[1 - LANGUAGES.index(language)],
            member=member,
            here=here(request),
            idle_seconds=self.idle_seconds,
            trace_url=self.trace_url,
            **fields,
        )
        return HTMLResponse(text, status, headers=HEADERS)


def language_of(request: Request) -> str:
    """The chosen language, or the first of the browser's that we speak."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    asked = request.headers.get("accept-language", "").lower().split(",")
    known = [part.strip()[:2] for part in asked]
    return next((language for language in known if language in LANGUAGES), "en")


def here(request: Request) -> str:
    """This page's own path, to come back to; a form's page is the one it stands on."""
    if request.method != "GET":
        return "/"
    query = urlencode(list(request.query_params.multi_items()))
    return request.url.path + (f"?{query}" if query else "")


def inside(path: str) -> str:
    """`path` when it is one of ours, else the start: nobody is sent elsewhere."""
    good = path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable()
    return path if good else "/"
