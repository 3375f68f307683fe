"""Fuzzers of the listeners: the gateway, the read API and the MCP server, each served as its worker serves it."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson
import psycopg
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from hypothesis import strategies as st
from starlette.applications import Starlette

from runledger.access.keyring import KeyRing
from runledger.access.projects import create_key, create_project
from runledger.analytics.database import Database
from runledger.analytics.http.app import create_app as create_api
from runledger.analytics.http.settings import ApiSettings
from runledger.analytics.paging import write_cursor
from runledger.analytics.reader import LedgerReader
from runledger.producers.doors import Emitter
from runledger.producers.gateway.app import create_app as create_gateway
from runledger.producers.gateway.settings import GatewaySettings
from runledger.producers.mcp_server import McpSettings, build_server, http_app
from runledger.producers.mcp_server.credentials import by_request
from runledger.schemas.codec import decode_event
from runledger.schemas.settings import ConnectionSettings
from runledger.schemas.topics import ALL_TOPICS, RUN_EVENTS
from runledger.sinks.migrate import migrate
from runledger.sinks.settings import SinkSettings
from runledger.sinks.writer import Writer
from runledger.topic_admin import ensure_topics
from tests.fuzz.nasty import TEXTS, VALUES, almost, almost_bytes, chosen, examples_of, written
from tests.fuzz.running import FindingError, Fuzzer
from tests.fuzz.texts import SPANS_JSON, SPANS_PROTOBUF
from tests.fuzz.wire import (
    EDITS,
    FRAMINGS,
    HEADER_TEXTS,
    METHODS,
    PACKINGS,
    STRANGE_HEADERS,
    SUFFIXES,
    Address,
    Answer,
    Asked,
    check_answer,
    check_error_shape,
    listening,
    packed,
    send,
)
from tests.integration.analytics.http.telling import records_of
from tests.integration.sinks.conftest import Ledger
from tests.unit.sinks.build import run_number

Door: TypeAlias = Callable[["Ground"], AbstractContextManager[list[Fuzzer[Any]]]]
RUN = "0199f0c2-7f3a-7cc1-8d3b-0a5c1f2e3d4c"
FINGERPRINT = "0" * 63 + "1"
_USAGE = {"input_tokens": 8400, "output_tokens": 1200, "cost_usd": 0.028, "model": "gpt-4o", "llm_calls": 3}
_JSON = b"application/json"
BODIES: dict[str, dict[str, Any]] = {
    "runs": {"agent_id": "sage", "summary": "a", "meta_json": {"a": [1]}, "task_id": "t", "parent_run_id": RUN},
    f"runs/{RUN}/usage": {"token_usage": _USAGE, "traces": [{"call": 1}]},
    f"runs/{RUN}/heartbeat": {},
    f"runs/{RUN}/end": {"status": "completed", "summary": "b", "token_usage": _USAGE, "meta_json": {}},
    "failures": {"summary": "c", "error": "connect ETIMEDOUT", "context": {"a": 1}, "run_id": RUN},
    f"failures/{FINGERPRINT}/resolve": {"note": "d", "by": "ops"},
    "records": {"agent": "sage", "summary": "e", "ticket": "T-1"},
    "internal/agent-run-log": {"agent_id": "sage", "status": "success", "actions_taken": {"summary": "f", "n": 1}},
}
"""{route of the gateway: a body that it takes}"""
GATEWAY_STATUSES = frozenset({200, 201, 204, 207, 400, 401, 403, 404, 405, 408, 413, 415, 422, 431, 503})
API_STATUSES = frozenset({200, 400, 401, 403, 404, 405, 408, 422, 431, 503})
MCP_STATUSES = frozenset({200, 202, 307, 400, 401, 403, 404, 405, 406, 408, 413, 415, 421, 431, 503})


@dataclass(frozen=True)
class Ground:
    """Topics, tables and keys of the fuzzers' own.

    Args:
        settings: where they are.
        keys: values of Authorization: "all" may emit, read and resolve, "reader" may read, "gone" is no key.
    """

    settings: ConnectionSettings
    keys: dict[str, bytes]

    def logged(self) -> int:
        """Count the records of run-events; each must be an event."""
        consumer = Consumer({"bootstrap.servers": self.settings.kafka, "group.id": "fuzz", "enable.auto.commit": False})
        try:
            topic, count = RUN_EVENTS.name(self.settings.topic_prefix), 0
            for number in range(self.settings.partitions):
                partition = TopicPartition(topic, number, 0)
                _, end = consumer.get_watermark_offsets(partition, timeout=30)
                consumer.assign([partition])
                at = 0
                while at < end:
                    message = consumer.poll(30)
                    assert message is not None
                    decode_event(message.value(), message.key())
                    at = (message.offset() or 0) + 1
                    count += 1
            return count
        finally:
            consumer.close()


@contextmanager
def ground(kafka: str, postgres: str) -> Iterator[Ground]:
    """Make topics, a database with two projects' stories, and keys; remove all at the end."""
    name = f"fuzz_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        parts = psycopg.conninfo.conninfo_to_dict(postgres) | {"dbname": name}
        uri = psycopg.conninfo.make_conninfo(**parts)  # type: ignore[arg-type]  # every part is text
        settings = ConnectionSettings(kafka=kafka, postgres=uri, topic_prefix=f"{name}.")
        ensure_topics(settings)
        migrate(uri)
        try:
            yield Ground(settings, _fill(uri))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
            topics = [topic.name(settings.topic_prefix) for topic in ALL_TOPICS]
            admin = AdminClient({"bootstrap.servers": kafka})
            for deleted in admin.delete_topics(topics).values():
                deleted.result()


def _fill(uri: str) -> dict[str, bytes]:
    writer = Writer(SinkSettings(postgres=uri))
    with psycopg.connect(uri, autocommit=True) as connection:
        ledger = Ledger(uri, connection, writer)
        ledger.write(records_of("acme", 0, partition=0))
        ledger.write(records_of("other", 100, partition=1))
        create_project(connection, "acme")
        keys = {
            "all": create_key(connection, "acme", ["emit", "read", "admin"]).text(),
            "reader": create_key(connection, "acme", ["read"]).text(),
            "gone": f"rl.{'0' * 32}.{'a' * 43}",
        }
    writer.close()
    return {name: b"Bearer " + key.encode() for name, key in keys.items()}


def _authorizations(keys: dict[str, bytes]) -> st.SearchStrategy[list[tuple[bytes, bytes]]]:
    good = (b"Authorization", keys["all"])
    others = [
        *([], [(b"Authorization", keys["reader"])], [(b"Authorization", keys["gone"])], [good, good]),
        *([(b"Authorization", keys["all"][7:])], [(b"Authorization", b"Basic " + keys["all"][7:])]),
    ]
    strange = HEADER_TEXTS.map(lambda text: [(b"Authorization", b"Bearer " + text)])
    return st.one_of(chosen(others), strange)


@st.composite
def _asked(
    draw: st.DrawFn,
    keys: dict[str, bytes],
    calls: st.SearchStrategy[tuple[bytes, str, bytes | None, bytes]],
) -> Asked:
    """Draw a request: a call in some framing, with headers nobody asked for, now and then spoilt."""
    method, path, media_type, body = draw(calls)
    spoilt = draw(
        chosen([*["nothing"] * 6, "target", "method", "key", "type", "packing", "headers", "framing", "bytes"])
    )
    target = path.encode(errors="surrogatepass") + (draw(SUFFIXES) if spoilt == "target" else b"")
    if spoilt == "method":
        method = draw(METHODS)
    headers = [(b"Host", b"127.0.0.1")]
    headers += draw(_authorizations(keys)) if spoilt == "key" else [(b"Authorization", keys["all"])]
    if media_type is not None:
        headers.append((b"Content-Type", draw(HEADER_TEXTS) if spoilt == "type" else media_type))
    body, coding = packed(body, draw(PACKINGS)) if body and spoilt == "packing" else (body, None)
    if coding is not None:
        headers.append((b"Content-Encoding", coding))
    if spoilt == "headers":
        headers += draw(STRANGE_HEADERS)
    if draw(st.booleans()):
        headers.append(
            (b"Idempotency-Key", draw(HEADER_TEXTS) if spoilt == "headers" else b"k-%d" % draw(st.integers(0)))
        )
    framing = draw(FRAMINGS) if spoilt == "framing" else draw(chosen(["length", "length", "chunked"]))
    return Asked(method, target, tuple(headers), body, framing, draw(EDITS) if spoilt == "bytes" else ())


class _Door:
    """A listener under fire, and what it took.

    Args:
        address: where it listens.
        statuses: with which it may answer.
        count: how many events an answer says were taken.
        look: looks closer.
    """

    def __init__(
        self,
        address: Address,
        statuses: frozenset[int],
        count: Callable[[Answer], int] = lambda _: 0,
        look: Callable[[Answer], None] = lambda _: None,
    ) -> None:
        self.address = address
        self.statuses = statuses
        self.count = count
        self.look = look
        self.taken = 0
        self.counts: dict[str, int] = {}

    def check(self, asked: Asked) -> None:
        answer = send(self.address, asked)
        name = "closed" if answer is None else f"x {answer.status}"
        self.counts[name] = self.counts.get(name, 0) + 1
        if answer is None:
            return
        check_answer(answer, self.statuses)
        self.taken += self.count(answer)
        self.look(answer)


def _gateway_calls() -> st.SearchStrategy[tuple[bytes, str, bytes | None, bytes]]:
    told = chosen(sorted(BODIES)).flatmap(
        lambda route: almost_bytes([BODIES[route]]).map(lambda body: (b"POST", f"/api/v1/{route}", _JSON, body))
    )
    whole = chosen(sorted(BODIES)).map(lambda route: (b"POST", f"/api/v1/{route}", _JSON, written(BODIES[route])))
    events = examples_of("run-events")
    for event in events:
        event["projectkey"] = "acme"
    one = almost_bytes(events).map(lambda body: (b"POST", "/api/v1/events", b"application/cloudevents+json", body))
    many = (
        st.lists(almost(events), max_size=4)
        .map(written)
        .map(lambda body: (b"POST", "/api/v1/events", b"application/cloudevents-batch+json", body))
    )
    binary = VALUES.map(lambda value: (b"POST", "/api/v1/events", _JSON, written(value)))
    pages = chosen(["/healthz", "/readyz", "/openapi.json", "/internal/openapi.json", "/", "*", "/api/v1/runs"])
    return st.one_of(told, told, told, whole, one, many, binary, pages.map(lambda path: (b"GET", path, None, b"")))


def _events_taken(answer: Answer) -> int:
    if answer.status in {201, 204}:
        return 1
    try:
        results = orjson.loads(answer.body).get("results") or []
    except (orjson.JSONDecodeError, AttributeError):
        return 0
    return sum(result["outcome"] == "delivered" for result in results)


@contextmanager
def gateway(on: Ground) -> Iterator[list[Fuzzer[Any]]]:
    """Serve the gateway; at the end, the topic must hold what was answered with success, and nothing else."""
    settings = GatewaySettings(
        kafka=on.settings.kafka, postgres=on.settings.postgres, topic_prefix=on.settings.topic_prefix, project="acme"
    )
    before = on.logged()
    with listening(create_gateway(settings)) as address:
        door = _Door(address, GATEWAY_STATUSES, _events_taken, check_error_shape)
        yield [Fuzzer("gateway", _asked(on.keys, _gateway_calls()), door.check, time.monotonic, door.counts)]
    found = on.logged() - before
    unknown = door.counts.get("x 503", 0)
    if not door.taken <= found <= door.taken + 1000 * unknown:
        raise FindingError(f"{door.taken} events were answered with success, the topic holds {found}")


@contextmanager
def spans(on: Ground) -> Iterator[list[Fuzzer[Any]]]:
    """Serve the gateway for OTLP; what it takes must be events that everybody reads."""
    settings = GatewaySettings(
        kafka=on.settings.kafka, postgres=on.settings.postgres, topic_prefix=on.settings.topic_prefix, project="acme"
    )
    calls = st.one_of(
        SPANS_PROTOBUF.map(lambda body: (b"POST", "/v1/traces", b"application/x-protobuf", body)),
        SPANS_JSON.map(lambda body: (b"POST", "/v1/traces", _JSON, body)),
    )
    with listening(create_gateway(settings)) as address:
        door = _Door(address, GATEWAY_STATUSES)
        yield [Fuzzer("otlp-listener", _asked(on.keys, calls), door.check, time.monotonic, door.counts)]
    on.logged()


_ASKED_VALUES = st.one_of(
    TEXTS,
    VALUES.map(lambda value: written(value).decode()),
    chosen(
        [
            *(
                "sage",
                "completed",
                "success",
                "log",
                "task-1",
                "open",
                "agent",
                "day",
                "model",
                "failing",
                "true",
                "UTC",
            ),
            *(
                "-heard_at",
                "ended_at",
                "-cost_usd",
                "total_tokens",
                "2026-01-01T00:00:00Z",
                "Europe/Berlin",
                "1",
                "200",
            ),
            *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59+00:00", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00"),
            *("heard_at; DROP TABLE agent_run", "heard_at DESC, (SELECT 1)", "1 OR 1=1", "' OR project_key='other"),
            *(
                "(SELECT pg_sleep(3))",
                "%(place)s",
                "{order}",
                "{beyond}",
                "\\x00",
                "$1",
                "/etc/passwd",
                "../UTC",
                "2" * 400,
            ),
        ]
    ),
)
_PARAMETERS = chosen(
    [
        *("limit", "cursor", "agent_id", "status", "outcome", "kind", "task_id", "parent_run_id", "since", "until"),
        *("silent", "sort", "group_by", "time_zone", "state", "project_key", "x"),
    ]
)
_PATHS = chosen(
    [
        *("/api/v1/runs", f"/api/v1/runs/{run_number(1)}", f"/api/v1/runs/{run_number(101)}", "/api/v1/runs/x"),
        *(f"/api/v1/runs/{run_number(1)}/events", f"/api/v1/runs/{run_number(1)}/traces", "/api/v1/costs"),
        *("/api/v1/agents", "/api/v1/agents/sage", "/api/v1/agents/team%2Fnightly build", "/api/v1/audit"),
        *("/api/v1/incidents", "/api/v1/failures", f"/api/v1/failures/{FINGERPRINT}", "/api/v1/failures/%27"),
        *("/api/v1/public/platform/intelligence", "/healthz", "/readyz", "/openapi.json"),
    ]
)


def _quoted(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode(errors="surrogatepass")[:3000])


def _cursor_of(sort: str, place: list[Any]) -> str:
    question = {"list": "runs", "project_key": "acme", "sort": sort} | dict.fromkeys(
        ("agent_id", "status", "outcome", "kind", "task_id", "parent_run_id", "since", "until", "silent")
    )
    with suppress(Exception):
        return write_cursor(question, place)
    return "x"


def _api_calls() -> st.SearchStrategy[tuple[bytes, str, bytes | None, bytes]]:
    query = st.lists(st.tuples(_PARAMETERS, _ASKED_VALUES), max_size=3)
    asked = st.tuples(_PATHS, query).map(
        lambda pair: (
            pair[0].replace(" ", "%20") + "?" * bool(pair[1]) + "&".join(f"{n}={_quoted(v)}" for n, v in pair[1])
        )
    )
    sorts = chosen(["-heard_at", "heard_at", "ended_at", "-cost_usd", "-total_tokens"])
    cursors = st.tuples(sorts, st.tuples(VALUES, chosen([RUN, "x", None]) | VALUES).map(list)).map(
        lambda pair: f"/api/v1/runs?sort={pair[0]}&cursor={_cursor_of(*pair)}"
    )
    return st.one_of(asked, asked, asked, cursors).map(lambda path: (b"GET", path, None, b""))


@contextmanager
def api(on: Ground) -> Iterator[list[Fuzzer[Any]]]:
    """Serve the read API on a database with two projects; no answer may hold a run of the other one."""
    settings = ApiSettings(postgres=on.settings.postgres)
    others = [str(run_number(100 + number)).encode() for number in range(10)]
    with listening(create_api(settings)) as address:

        def look(answer: Answer) -> None:
            check_error_shape(answer)
            if any(run in answer.body for run in others):
                raise FindingError("another project's run was told")

        door = _Door(address, API_STATUSES, look=look)
        yield [Fuzzer("read-api", _asked(on.keys, _api_calls()), door.check, time.monotonic, door.counts)]


_TOOLS: dict[str, dict[str, Any]] = {
    "core_start_run": {
        "project_key": "acme",
        "summary": "a",
        "meta_json": {"a": 1},
        "event_id": "e-1",
        "agent_id": RUN,
    },
    "core_report_usage": {"run_id": RUN, "token_usage": _USAGE, "traces": [{"n": 1}]},
    "core_heartbeat": {"run_id": RUN},
    "core_end_run": {"run_id": RUN, "status": "completed", "summary": "b", "token_usage": _USAGE},
    "core_record_failure": {"project_key": "acme", "summary": "c", "error": "d", "context": {}, "task_id": RUN},
    "record_run": {"project_key": "acme", "agent": "sage", "summary": "e", "ticket": "T-1"},
    "get_run": {"run_id": str(run_number(1))},
    "recent_failures": {"error": "connect ETIMEDOUT", "limit": 3},
    "run_costs": {"since": "2026-01-01T00:00:00Z", "group_by": "agent"},
}
_MCP_HEADERS: list[tuple[bytes, bytes]] = [(b"Accept", b"application/json, text/event-stream")]


def _called(tool: str, arguments: object) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}


def _mcp_calls() -> st.SearchStrategy[tuple[bytes, str, bytes | None, bytes]]:
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "f", "version": "1"}}
    whole = [_called(tool, arguments) for tool, arguments in _TOOLS.items()]
    others: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": "a", "method": "initialize", "params": hello},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        *({"jsonrpc": "2.0", "id": 2, "method": method} for method in ("ping", "tools/list", "resources/list", "x")),
    ]
    arguments = chosen(sorted(_TOOLS)).flatmap(
        lambda tool: almost([_TOOLS[tool]]).map(lambda asked: written(_called(tool, asked)))
    )
    bodies = st.one_of(arguments, arguments, arguments, almost_bytes(whole + others), st.builds(written, almost(whole)))
    return bodies.map(lambda body: (b"POST", "/mcp", _JSON, body))


def _tools_taken(answer: Answer) -> int:
    """Count the tools that wrote."""
    try:
        said = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return 0
    result = said.get("result") if isinstance(said, dict) else None
    told = result.get("structuredContent") if isinstance(result, dict) else None
    return int(isinstance(told, dict) and not result.get("isError") and "event_id" in told)  # type: ignore[union-attr]  # a result


def _mcp_headers(asked: Asked) -> Asked:
    return Asked(asked.method, asked.target, (*asked.headers, *_MCP_HEADERS), asked.body, asked.framing, asked.edits)


@contextmanager
def mcp(on: Ground) -> Iterator[list[Fuzzer[Any]]]:
    """Serve MCP over streamable HTTP; the topic must hold what tools said they recorded, and nothing else."""
    settings = McpSettings(
        kafka=on.settings.kafka, postgres=on.settings.postgres, topic_prefix=on.settings.topic_prefix
    )
    before = on.logged()
    with listening(mcp_app(settings)) as address:
        door = _Door(address, MCP_STATUSES, _tools_taken)
        inputs = _asked(on.keys, _mcp_calls()).map(_mcp_headers)
        yield [Fuzzer("mcp", inputs, door.check, time.monotonic, door.counts)]
    found = on.logged() - before
    if found != door.taken:
        raise FindingError(f"{door.taken} calls were answered with success, the topic holds {found} events")


def mcp_app(settings: McpSettings) -> Starlette:
    """Make the application, whose parts are opened and closed with it."""
    keyring, database, emitter = KeyRing(settings.postgres), Database(settings.postgres), Emitter(settings)
    app = http_app(build_server(by_request, emitter, LedgerReader(database), settings), keyring, settings)
    within = app.router.lifespan_context

    @asynccontextmanager
    async def opened(served: Starlette) -> AsyncIterator[Any]:
        async with keyring, database, emitter, within(served) as state:
            yield state

    app.router.lifespan_context = opened
    return app


DOORS: dict[str, Door] = {"gateway": gateway, "otlp-listener": spans, "read-api": api, "mcp": mcp}
"""{name of the fuzzer: what serves its listener}"""
