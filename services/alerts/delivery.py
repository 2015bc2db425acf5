"""Sending what is due: webhooks and mail, at least once, urgent ones on a loop of their own."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parseaddr

import aiosmtplib
import asyncpg
import httpcore
from opentelemetry.trace import SpanKind, StatusCode
from pydantic import Field, SecretStr

from alerts import notices, policies, words
from alerts.notices import Notice
from alerts.staffed import next_opening
from handrail import outbound, sites, telemetry
from handrail.outbound import Network
from handrail.settings import FromEnvironment
from handrail.sites import zone_of
from handrail.telemetry import log
from handrail.transient import TRANSIENT
from handrail.webhooks import signed_headers

LOOK_SECONDS = 1.0
# Between two looks, however often the bell rings: commits come by the hundred a second.
REST_SECONDS = 0.1
SEND_SECONDS = 15.0
_TLS = {"none": (False, False), "starttls": (False, True), "tls": (True, False)}


class MailSettings(FromEnvironment):
    """Where mail is handed over, and what a notice may say of where to sign in."""

    smtp_host: str | None = Field(default=None, description="Without it, mail waits and is shown.")
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_tls: str = Field(default="starttls", pattern="^(none|starttls|tls)$")
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = "no-reply@localhost"
    page_url: str | None = Field(default=None, description="The page's public address.")


@dataclass
class Sender:
    """Sends notices for ever; `wake` is rung after each commit."""

    pool: asyncpg.Pool
    settings: MailSettings
    allowed: Sequence[Network] = ()
    client: httpcore.AsyncConnectionPool = field(init=False)
    _rung: tuple[asyncio.Event, asyncio.Event] = field(
        default_factory=lambda: (asyncio.Event(), asyncio.Event())
    )

    def __post_init__(self) -> None:
        """The client that checks where an address leads before it connects."""
        self.client = outbound.client(self.allowed)

    def wake(self) -> None:
        """Something was committed: look now."""
        for rung in self._rung:
            rung.set()

    async def run_urgent(self) -> None:
        """Safety alone: nobody's slow receiver stands before it."""
        await self._run(urgent=True)

    async def run(self) -> None:
        """All the rest, and the digests."""
        await self._run(urgent=False)

    async def turn(self, *, urgent: bool) -> int:
        """Send what is due, once. Gives how many were tried."""
        async with self.pool.acquire() as conn, conn.transaction():
            if not urgent:
                await _add_digests(conn)
            claimed = await notices.claim(conn, urgent=urgent)
            counts = {
                n.site_id: await notices.counts(conn, n.site_id)
                for n in claimed
                if n.change == "digest"
            }
        troubles = await asyncio.gather(*(self._send(n, counts) for n in claimed))
        if claimed:
            async with self.pool.acquire() as conn, conn.transaction():
                await notices.settle(conn, list(zip(claimed, troubles, strict=True)))
        return len(claimed)

    async def _run(self, *, urgent: bool) -> None:
        rung = self._rung[urgent]
        while True:
            rung.clear()
            tried = 0
            with contextlib.suppress(*TRANSIENT):
                tried = await self.turn(urgent=urgent)
            if not tried:
                await asyncio.sleep(REST_SECONDS)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(rung.wait(), LOOK_SECONDS)

    async def _send(self, notice: Notice, counts: dict[str, dict[str, int]]) -> str | None:
        if notice.is_over:
            return None
        told = counts.get(notice.site_id) if notice.change == "digest" else None
        post = self._post if notice.kind == "webhook" else self._mail
        about: telemetry.Attributes = {telemetry.NOTICE: notice.kind}
        with telemetry.span_if_kept(
            "send notice", SpanKind.CLIENT, notice.traceparent, about
        ) as span:
            trouble = await post(notice, told)
            if trouble:
                span.set_status(StatusCode.ERROR)
                span.set_attribute(telemetry.ERROR, trouble)
        if trouble:
            log.warning("notice.not_sent", notice_id=str(notice.notice_id), trouble=trouble)
        return trouble

    async def _post(self, notice: Notice, counts: dict[str, int] | None) -> str | None:
        body, key = words.body_of(notice, counts), str(notice.notice_id)
        headers = signed_headers([notice.secret or ""], key, body)
        sent = await outbound.post(self.client, notice.address, body, headers, SEND_SECONDS)
        return sent.trouble

    async def _mail(self, notice: Notice, counts: dict[str, int] | None) -> str | None:
        settings = self.settings
        if settings.smtp_host is None:
            return "no_mail_server_set"
        use_tls, start_tls = _TLS[settings.smtp_tls]
        password = settings.smtp_password
        mail = words.mail_of(notice, counts, sender=settings.mail_from, page=settings.page_url)
        try:
            await aiosmtplib.send(
                mail,
                sender=parseaddr(settings.mail_from)[1],
                recipients=[notice.address],
                hostname=settings.smtp_host,
                port=settings.smtp_port,
                use_tls=use_tls,
                start_tls=start_tls,
                username=settings.smtp_username,
                password=password.get_secret_value() if password else None,
                timeout=SEND_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            return type(error).__name__.lower()
        return None


async def _add_digests(conn: asyncpg.Connection) -> None:
    due = await notices.due_digests(conn)
    if not due:
        return
    known = await sites.known(conn)
    by_site = await policies.load(conn, known)
    now: datetime = await conn.fetchval("select now()")
    for receiver_id, site_id in due:
        zone = zone_of(known[site_id].time_zone if site_id in known else "UTC")
        policy = by_site.on(site_id, now.date().toordinal())
        await notices.add_digest(conn, receiver_id, next_opening(now, policy, zone))


def loops(sender: Sender) -> list[Callable[[], Awaitable[None]]]:
    """The loops that send."""
    return [sender.run_urgent, sender.run]
