"""Nothing about a person leaves by logs, spans, numbers, Kafka's names, problems, titles or URLs."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import httpx
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from handrail.topics import PARTITIONS, partition_of, topic_of
from operate.home import HOST, SERVICES
from tests.journeys.clinic import Clinic, days_ago
from tests.journeys.collector import Collector, running_collector
from tests.journeys.inputs import Inputs
from tests.journeys.marks import CODES, SPELLINGS, found_in
from tests.journeys.visitor import sign_in
from tests.parts import System, running_system, until

# Every so many spellings each way of spelling comes once, as five shares nothing with twelve.
EACH_WAY = 5
PLANTED, BUG = b"planted-by-the-test", 500
# People who come at the same time: each mostly waits until the next service knows them.
AT_ONCE = 8
PAGES = ("/", "/team", "/operate", "/sign-in", "/sign-in/begin", "/sign-in/back")
QUERIES = (
    *("site", "program", "track", "level", "page", "mine", "day", "done", "trace", "next"),
    *("state", "code", "over"),
)
FIELDS = (
    *("form", "do", "key", "seen", "role", "member", "reason", "until", "hours", "channel"),
    *("outcome", "party", "ending", "outreach_id"),
)
NOW = datetime.now(UTC).isoformat()


@dataclass
class Visit:
    """What was asked, and everything of the answers that must hold no mark."""

    client: httpx.AsyncClient
    base: str
    asked: int = 0
    seen: dict[str, list[str]] = field(default_factory=dict)

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        try:
            answer = await self.client.request(method, self.base + path, **more)
        except Exception as error:
            raise AssertionError(f"{method} {path}: {type(error).__name__}") from error
        assert answer.status_code != BUG, (method, path, more)
        self.asked += 1
        self.keep("header", repr(answer.headers.multi_items()))
        kind = answer.headers.get("content-type", "")
        if "problem" in kind:
            self.keep("problem document", answer.text)
        if "html" in kind:
            self.keep(
                "page title", " ".join(re.findall(r"<title>.*?</title>", answer.text, re.DOTALL))
            )
            links = re.findall(r'(?:href|action|src|data-query|content)="([^"]*)"', answer.text)
            self.keep("page URL", " ".join(links))
        return answer

    def keep(self, where: str, text: str) -> None:
        self.seen.setdefault(where, []).append(text)


@pytest.fixture(scope="module")
def collector() -> Collector:
    return Collector()


@pytest.fixture(scope="module")
def watched(collector: Collector) -> Iterator[System]:
    """A system of its own, every trace of which is kept."""
    with (
        running_collector(collector) as endpoint,
        running_system(
            HANDRAIL_OTLP_ENDPOINT=endpoint, HANDRAIL_TRACE_RATIO="1", HANDRAIL_LOG_LEVEL="DEBUG"
        ) as system,
    ):
        yield system


async def commands_and_routes(visit: Visit, inputs: Inputs) -> None:
    """Every field of every command and route, with marks that mostly cannot be used there."""
    for number, spelling in enumerate(SPELLINGS):
        marked = list(inputs.marked_commands(spelling))
        await visit.ask("POST", "/v1/commands", json=marked)
        # The same one by one, in each way of spelling once.
        for body in marked if number % EACH_WAY == 0 else ():
            await visit.ask("POST", "/v1/command", json=body)
        strange = spelling.encode(errors="replace").decode("latin-1").replace("\x00", "")
        for name in (
            "traceparent",
            "tracestate",
            "baggage",
            "user-agent",
            "cookie",
            "x-request-id",
        ):
            await visit.ask("POST", "/v1/command", headers={name: quote(strange)}, json={})
        for whole in (spelling, [spelling], {spelling: spelling}, [{"do": spelling}]):
            await visit.ask("POST", "/v1/commands", json=whole)
        await visit.ask("POST", "/v1/command", content=f'{{"do": {spelling}')
        await visit.ask("GET", f"/{quote(spelling)}/", params={spelling: spelling})
    for body in inputs.marked_fields(SPELLINGS):
        await visit.ask("POST", "/v1/command", json=body)
    for spelling in SPELLINGS[::EACH_WAY]:
        for one in inputs.marked_routes(spelling):
            if not one.path.startswith("/v1/command"):
                await visit.ask(one.method, one.path, params=one.query, json=one.body)


async def accepted(clinic: Clinic, visits: dict[str, Visit], spelling: str) -> None:
    """One person's way through all four services, this in whatever takes free words."""
    name = spelling[:128]
    code = spelling if spelling in CODES else "x1"

    async def say(service: str, do: str, **fields: object) -> httpx.Response:
        body = {"do": do, "key": name, "occurred_at": NOW} | fields
        return await visits[service].ask("POST", "/v1/command", json=body)

    async def known(service: str, do: str, **fields: object) -> None:
        async def taken() -> bool:
            answer = await say(service, do, **fields)
            assert answer.status_code in (200, 404), answer.text
            return answer.status_code == 200

        await until(taken, f"{service} knows of it")

    referral = await say("intake", "receive_referral", site_id=clinic.site_id, time_zone="UTC")
    person = referral.json()["subject"]
    await known(
        "intake",
        "complete_intake",
        key=f"in {name}"[:128],
        referral_key=name,
        admitted_on=days_ago(40),
        program_id=code,
        track="evening",
        weekly_minutes=540,
        sessions_per_week=3,
        eligibility_waived_for="assessed_elsewhere",
    )
    await clinic.known_to_alerts(UUID(person))
    contact = {"name": name, "phone": name, "note": spelling}
    await visits["intake"].ask("PUT", f"/v1/admissions/{person}/contact", json=contact)
    for days in (3, 1):
        group = {"session_type": "group", "planned_on": days_ago(days), "planned_minutes": 180}
        await known(
            "attendance",
            "record_missed",
            admission_id=person,
            key=f"{days}{name}"[:128],
            session_key=f"{days}{name}"[:128],
            session=group,
            kind="no_show",
        )
    await known(
        "aftercare",
        "start_step_down",
        admission_id=person,
        destination="therapy",
        receiver=code,
        first_visit_on=days_ago(-3),
    )
    concern = await clinic.concern(UUID(person), level=2)
    taken = await say("alerts", "acknowledge", concern_id=concern["concern_id"])
    assert taken.status_code == 200, taken.text
    await visits["alerts"].ask(
        "PUT",
        f"/v1/receivers/{uuid4()}",
        json={
            "site_id": clinic.site_id,
            "role": "primary_clinician",
            "kind": "webhook",
            "address": f"http://127.0.0.1:9/{quote(spelling)}",
        },
    )


async def the_page(visit: Visit, clinic: Clinic) -> None:
    """Every page, path, parameter and form of the page, by who is signed in and by nobody."""
    concerns = await clinic.get("alerts", "/v1/concerns", site_id=clinic.site_id)
    person, concern = concerns[0]["admission_id"], concerns[0]["concern_id"]
    for role, spellings in (
        ("", SPELLINGS),
        ("counsellor", SPELLINGS),
        ("supervisor", SPELLINGS[::7]),
        ("operator", SPELLINGS[::7]),
    ):
        visit.client.cookies.clear()
        if role:
            await sign_in(visit.client, visit.base, role)
        page = await visit.ask("GET", f"/people/{person}")
        form = re.search(r'name="form" value="([^"]+)"', page.text)
        for spelling in spellings:
            query = dict.fromkeys((*QUERIES, spelling), spelling)
            for path in (*PAGES, f"/people/{person}", f"/people/{quote(spelling, safe='')}"):
                await visit.ask("GET", path, params=query)
            for inside in (f"/people/{spelling}", f"/?site={spelling}", f"/{spelling}"):
                await visit.ask("GET", "/sign-in", params={"next": inside})
                await visit.ask("GET", "/language/es", params={"next": inside})
            fields = dict.fromkeys((*FIELDS, spelling), spelling)
            await visit.ask("POST", f"/concerns/{concern}", data=fields)
            if form:
                await visit.ask("POST", f"/concerns/{concern}", data=fields | {"form": form[1]})


async def plant(system: System) -> None:
    """Records of a stranger on our topics, marked wherever Kafka lets them be."""
    producer = AIOKafkaProducer(bootstrap_servers=f"{HOST}:{system.home.ports()['kafka']}")
    await producer.start()
    try:
        for number, spelling in enumerate(SPELLINGS):
            word, key = spelling.encode(), uuid4()
            about = [
                (spelling, word),
                ("ce_type", word),
                ("ce_id", word),
                ("ce_sequence", b"1"),
                ("ce_incarnation", b"1"),
                ("traceparent", b"00-" + word + b"-01"),
                ("planted", PLANTED),
            ]
            real = [(n, b"intake.referral_received.v1" if n == "ce_type" else v) for n, v in about]
            for headers, named in ((about, word), (about, None), (real, str(key).encode())):
                await producer.send_and_wait(
                    topic_of("intake"),
                    b'{"admission_id": "%s", "note": "%s"}' % (str(key).encode(), word),
                    key=named,
                    headers=headers,
                    partition=number % PARTITIONS if named == word else partition_of(key),
                )
    finally:
        await producer.stop()


async def records(system: System) -> AsyncIterator[ConsumerRecord]:
    """Every record on our topics that the test did not plant."""
    address = f"{HOST}:{system.home.ports()['kafka']}"
    places = [
        TopicPartition(topic_of(owner), number)
        for owner in SERVICES
        for number in range(PARTITIONS)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        await consumer.seek_to_beginning(*places)
        for tp in places:
            while await consumer.position(tp) < ends[tp]:
                for got in (await consumer.getmany(timeout_ms=1000)).values():
                    for record in got:
                        if ("planted", PLANTED) not in record.headers:
                            yield record
    finally:
        await consumer.stop()


async def kafka_names(system: System) -> list[str]:
    admin = AIOKafkaAdminClient(bootstrap_servers=f"{HOST}:{system.home.ports()['kafka']}")
    await admin.start()
    try:
        groups = [str(group) for group in await admin.list_consumer_groups()]
        return [*await admin.list_topics(), *groups]
    finally:
        await admin.close()


async def test_no_mark_is_found_anywhere(watched: System, collector: Collector) -> None:
    async with contextlib.AsyncExitStack() as opened:

        async def client() -> httpx.AsyncClient:
            return await opened.enter_async_context(httpx.AsyncClient(timeout=30, trust_env=False))

        clinic = Clinic(watched, await client(), f"site-{uuid4().hex[:12]}")
        visits = {name: Visit(await client(), clinic.url(name)) for name in SERVICES}

        at_once = asyncio.Semaphore(AT_ONCE)

        async def one(spelling: str) -> None:
            async with at_once:
                await accepted(clinic, visits, spelling)

        await asyncio.gather(*map(one, SPELLINGS))
        described = [await clinic.get(name, "/openapi.json") for name in SERVICES]
        page = Visit(await client(), clinic.url("alerts"))
        await asyncio.gather(
            the_page(page, clinic),
            *(
                commands_and_routes(visits[name], Inputs(about))
                for name, about in zip(SERVICES, described, strict=True)
            ),
        )

        letters: list[Any] = []
        await plant(watched)

        async def is_kept() -> bool:
            letters[:] = [
                one
                for name in ("attendance", "alerts", "aftercare")
                for one in await clinic.get(name, "/v1/dead-letters", limit=1000)
            ]
            return len(letters) >= 3 * len(SPELLINGS)

        await until(is_kept, "the strangers' records are dead letters", 60)

        haystacks: dict[str, list[str]] = {"dead letter": [str(one) for one in letters]}
        for visit in (*visits.values(), page):
            for where, texts in visit.seen.items():
                haystacks.setdefault(where, []).extend(texts)
        haystacks["metric"] = [
            (await clinic.client.get(clinic.url(name) + "/metrics")).text for name in SERVICES
        ]
        sent = [record async for record in records(watched)]
        haystacks["Kafka key"] = [str(r.key) for r in sent]
        haystacks["Kafka header"] = [str(r.headers) for r in sent]
        haystacks["Kafka name"] = await kafka_names(watched)
        values = [(r.value or b"").decode() for r in sent]

    haystacks["log"] = [watched.logs()]
    await asyncio.sleep(0)
    haystacks["span"] = [f"{span} {span.SerializeToString()!r}" for _, span in collector.spans]

    found = {where: _where(texts) for where, texts in haystacks.items() if _marks(texts)}
    assert not found, "\n".join(f"{where}: {lines}" for where, lines in found.items())
    # A payload may hold the organisation's own codes, and nothing else that somebody wrote.
    assert _marks(values) - CODES == set()
    sizes = {where: sum(map(len, texts)) for where, texts in haystacks.items()}
    assert min(sizes.values()) > 100, sizes
    assert sum(visit.asked for visit in visits.values()) > 3_000
    print(sizes, len(sent), len(collector.spans), sum(v.asked for v in (*visits.values(), page)))


def _where(texts: list[str]) -> list[str]:
    """The first few lines that hold a mark, for whoever has to mend it."""
    lines = [line for text in dict.fromkeys(texts) for line in text.splitlines()]
    return [line[:400] for line in lines if found_in(line)][:8]


def _marks(texts: list[str]) -> set[str]:
    return found_in("\n".join(dict.fromkeys(texts)))
