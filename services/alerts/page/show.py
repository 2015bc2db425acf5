"""Pages made from templates, in the reader's language, under a strict content security policy."""

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from alerts.page.access import Member
from alerts.page.refs import ref
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
# What stands in an address of ours; whatever else was typed there is not repeated.
_OURS = re.compile(r"/(?:team|operate|privacy|people/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?")
_PLAIN = {
    "day": re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII),
    "level": re.compile(r"[0-3]"),
    "page": re.compile(r"\d{1,5}", re.ASCII),
    "mine": re.compile(r"1"),
}
CHOSEN = ("program", "track", "site")


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
            ref=ref,
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
    return inside(f"{request.url.path}?{request.url.query}")


def inside(address: str) -> str:
    """`address` when it is one of ours, else the start: nobody is sent elsewhere."""
    path, _, query = address.partition("?")
    if not _OURS.fullmatch(path):
        return "/"
    kept = [(n, ref(v) if n in CHOSEN else v) for n, v in parse_qsl(query) if _is_plain(n, v)]
    return path + (f"?{urlencode(kept)}" if kept else "")


def _is_plain(name: str, value: str) -> bool:
    return name in CHOSEN or (name in _PLAIN and bool(_PLAIN[name].fullmatch(value)))
