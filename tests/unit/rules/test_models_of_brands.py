"""A brand's own model is asked within its budget, and the built-in one stands behind it."""

import asyncio
import contextlib
import ipaddress
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import orjson
import pytest
import trustme
from pydantic import SecretStr

from antiphon.egress import Address, Egress
from antiphon.seal import Sealer
from antiphon.testing import FakeClock
from rules.adapters.understanding import MOST_TEXTS, REST_SECONDS, Models, understand
from rules.domain.event import NOTHING_UNDERSTOOD, Event
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel
from rules.entities import understanding_owner

NAME = "model.shop.example"
SEALER = Sealer({"k": bytes(32)})
GERMAN = {"language": "de", "language_confidence": 1.0, "sentiment": "negative", "score": -0.9, "confidence": 0.95}


@dataclass
class Model:
    """A model behind TLS: answers each text with `result`, or the body it is told to."""

    port: int = 0
    asked: list[dict] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    silent: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
            asked = orjson.loads(await reader.readexactly(int(fields["content-length"])))
            self.asked.append(asked)
            self.authorizations.append(fields.get("authorization", ""))
            if self.silent:
                await reader.read()
            body = self.body if self.body is not None else orjson.dumps({"results": [GERMAN] * len(asked["texts"])})
            writer.write(f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
            await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[Model, Egress]]:
    authority, model = trustme.CA(), Model()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(NAME).configure_cert(server_side)
    authority.configure_trust(client_side)
    server = await asyncio.start_server(model.serve, "127.0.0.1", 0, ssl=server_side)
    model.port = server.sockets[0].getsockname()[1]

    async def resolve(_host: str, _port: int) -> Sequence[Address]:
        return [ipaddress.ip_address("127.0.0.1")]

    egress = Egress(allowed=[ipaddress.ip_network("127.0.0.0/8")], tls=client_side, resolve=resolve)
    try:
        yield model, egress
    finally:
        await egress.aclose()
        server.close()


def brand(port: int, *, timeout: float = 5.0, token: str = "") -> dict[str, BrandSettings]:
    remote = RemoteModel(f"https://{NAME}:{port}/", timeout, token)
    return {"acme": BrandSettings("acme", languages=("en", "de"), remote=remote)}


def models(egress: Egress, clock: FakeClock) -> tuple[Models, Counter]:
    counted: Counter = Counter()

    def count(source: str, texts: int) -> None:
        counted[source] += texts

    return Models(egress=egress, sealer=SEALER, clock=clock, counted=count), counted


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def test_the_brands_model_answers(comment, clock: FakeClock) -> None:
    async with serving() as (model, egress):
        sealed = SEALER.seal(SecretStr("s3cret"), understanding_owner("acme"))
        asked, counted = models(egress, clock)
        events = [comment(text=text) for text in ("I love it", "so good")]
        found = await asked.understand(events, brand(model.port, token=sealed))
        assert [one.polarity for one in found] == ["negative", "negative"]
        assert model.asked == [{"brand": "acme", "languages": ["en", "de"], "texts": ["I love it", "so good"]}]
        assert model.authorizations == ["bearer s3cret"]
        assert counted["remote"] == 2
        assert not counted["fallback"]


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"body": b"not json"},
        {"body": b'{"results": []}'},
        {"body": orjson.dumps({"results": [GERMAN | {"score": 7}]})},
        {"body": orjson.dumps({"results": [GERMAN | {"language": "<script>"}]})},
        {"silent": True},
    ],
)
async def test_the_built_in_model_stands_behind_it_and_it_rests(comment, clock: FakeClock, trouble: dict) -> None:
    async with serving() as (model, egress):
        for name, value in trouble.items():
            setattr(model, name, value)
        asked, counted = models(egress, clock)
        settings, event = brand(model.port, timeout=0.5), comment(text="I love this so much, thank you!")
        expected = understand(event.text, languages=("en", "de"))
        assert await asked.understand([event], settings) == [expected]
        assert await asked.understand([event], settings) == [expected]
        assert len(model.asked) == 1, "it rests after a failure"
        clock.advance(REST_SECONDS)
        await asked.understand([event], settings)
        assert len(model.asked) == 2
        assert counted["fallback"] == 3


async def test_a_token_of_another_brand_is_not_sent(comment, clock: FakeClock) -> None:
    async with serving() as (model, egress):
        stolen = SEALER.seal(SecretStr("s3cret"), understanding_owner("other"))
        asked, counted = models(egress, clock)
        await asked.understand([comment(text="hello there")], brand(model.port, token=stolen))
        assert not model.asked
        assert counted["fallback"] == 1


async def test_a_large_batch_is_asked_in_parts_and_keeps_its_order(comment, clock: FakeClock) -> None:
    async with serving() as (model, egress):
        asked, _ = models(egress, clock)
        events: list[Event] = [comment(text=f"text {number}") for number in range(MOST_TEXTS + 1)]
        mixed = [*events, comment(text=""), comment(text="x", brand="unknown")]
        found = await asked.understand(mixed, brand(model.port))
        assert [len(one["texts"]) for one in model.asked] == [MOST_TEXTS, 1]
        assert [text for one in model.asked for text in one["texts"]] == [event.text for event in events]
        assert found[-2:] == [NOTHING_UNDERSTOOD, NOTHING_UNDERSTOOD]


def test_a_brands_own_words_raise_its_flags() -> None:
    own = (FlagTerms("purchase_intent", "*", ("drop date",)),)
    assert "purchase_intent" not in understand("any drop date for the blue one").flags
    assert "purchase_intent" in understand("any drop date for the blue one", flag_terms=own).flags
