"""Notifications by the real worker to a real TLS server that checks what it gets, as a receiver must."""

import asyncio
import base64
import contextlib
import hmac
import itertools
import ssl
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from antiphon.clock import SystemClock
from antiphon.mongo import connect
from antiphon.seal import Sealer, parse_keys
from antiphon.times import to_timestamp
from antiphon.v1.decision_pb2 import Action, ActionKind, Decision
from antiphon.v1.delivery_pb2 import DeliveryReason, DeliveryState
from publisher.adapters.mongo_secrets import MongoSecrets
from publisher.domain.webhooks import key_of, secret_of
from publisher.settings import PublisherSettings

pytestmark = pytest.mark.local

POSTED, FAILED = DeliveryState.DELIVERY_STATE_POSTED, DeliveryState.DELIVERY_STATE_FAILED
GONE, INVALID, NONE, NO_SECRET = (
    DeliveryReason.Value(f"DELIVERY_REASON_{name}") for name in ("TARGET_GONE", "INVALID", "UNSPECIFIED", "NO_SECRET")
)
BODY = '{"type":"rule.matched","data":{"text":"größer ✓"}}'


@dataclass
class Receiver:
    """Checks each signature, counts ids, and answers as told for a path, else 204."""

    secrets: list[str] = field(default_factory=list)
    port: int = 0
    got: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    bodies: list[bytes] = field(default_factory=list)
    answers: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    hanging: set[str] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
                headers = {name.lower(): value for line in head[1:] if line for name, _, value in [line.partition(": ")]}
                body = await reader.readexactly(int(headers["content-length"]))
                path = head[0].split()[1]
                assert self.signed(headers, body), "a receiver that checks would refuse this"
                self.bodies.append(body)
                self.got[path].append(headers)
                if path in self.hanging:
                    await asyncio.Event().wait()
                writer.write(self.answers[path].pop(0) if self.answers[path] else b"HTTP/1.1 204 N\r\n\r\n")
                await writer.drain()

    def signed(self, headers: dict[str, str], body: bytes) -> bool:
        stamp = headers["webhook-timestamp"]
        content = f"{headers['webhook-id']}.{stamp}.".encode() + body
        wanted = {"v1," + base64.b64encode(hmac.digest(key_of(one), content, "sha256")).decode() for one in self.secrets}
        return bool(wanted & set(headers["webhook-signature"].split(" "))) and abs(time.time() - int(stamp)) < 300


class Line:
    """A stage with a receiver."""

    def __init__(self, stage: Any, receiver: Receiver, secrets: MongoSecrets) -> None:
        self.stage, self.receiver, self.secrets = stage, receiver, secrets

    async def secret(self, name: str = "crm", overlap: float = 0.0) -> None:
        made = secret_of(time.time_ns().to_bytes(32))
        await self.secrets.put(self.stage.brand, name, SecretStr(made), overlap)
        self.receiver.secrets = [made, *(self.receiver.secrets[:1] if overlap else [])]

    def decision(self, target: str, path: str = "/in", rules: tuple[str, ...] = ("r1",), **more: Any) -> Decision:
        """A decision with a notification of each rule."""
        url = more.pop("url", f"https://localhost:{self.receiver.port}{path}")
        made: Decision = self.stage.decision(target)
        actions = []
        for rule in rules:
            one = self.stage.decision(target, rule=rule, kind=ActionKind.ACTION_KIND_NOTIFY, text="").actions[0]
            one.url, one.body, one.secret_ref = url, BODY, more.get("secret", "crm")
            actions.append(Action.FromString(one.SerializeToString()))
        del made.actions[:]
        made.actions.extend(actions)
        return made

    async def rest(self, *decisions: Decision) -> list[Any]:
        names = [action.action_id for decision in decisions for action in decision.actions]
        last = await self.stage.rest(names)
        return [(last[name].state, last[name].reason) for name in names]


@pytest.fixture
async def line(stage_for: Any, localhost_pem: Path) -> AsyncIterator[Line]:
    stage, receiver, file = await stage_for(), Receiver(), localhost_pem
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = await asyncio.start_server(receiver.serve, "localhost", 0, ssl=context, family=2)
    receiver.port = server.sockets[0].getsockname()[1]
    stage.env |= {"PUBLISHER_NOTIFY_ALLOWED_NETWORKS": "127.0.0.0/8, ::1/128", "PUBLISHER_NOTIFY_CA_FILE": str(file)}
    settings = PublisherSettings(
        mongo_uri=SecretStr(stage.env["MONGO_URI"]), mongo_database=stage.brand, seal_keys=SecretStr(stage.env["SEAL_KEYS"])
    )
    client, database = connect(settings)
    found = Line(stage, receiver, MongoSecrets(database, Sealer(parse_keys(settings.seal_keys)), SystemClock()))
    await found.secrets.prepare()
    yield found
    client.close()
    await asyncio.to_thread(stage.stop)  # ends the connections that the server waits for
    server.close()


async def test_rules_tell_a_receiver_that_checks_every_signature(line: Line) -> None:
    await line.secret()
    await line.stage.started()
    decision = line.decision("1_1", rules=("r1", "r2"))
    await line.stage.decide(decision, decision)
    assert await line.rest(decision) == [(POSTED, 0), (POSTED, 0)]
    ids = [headers["webhook-id"] for headers in line.receiver.got["/in"]]
    assert sorted(ids) == sorted(action.action_id for action in decision.actions), "each once, redelivered or not"
    assert set(line.receiver.bodies) == {BODY.encode()}
    assert "whsec_" not in "\n".join(line.stage.workers[0].log_tail(500))


async def test_while_a_secret_changes_both_sign_and_no_receipt_is_missed(line: Line) -> None:
    await line.secret()
    await line.stage.started()
    await line.secret(overlap=3_600.0)
    for number in itertools.count():
        decision = line.decision(f"5_{number}")
        await line.stage.decide(decision)
        assert await line.rest(decision) == [(POSTED, 0)]
        if line.receiver.got["/in"][-1]["webhook-signature"].count("v1,") == 2:
            break
    line.receiver.secrets = line.receiver.secrets[1:]  # one that has not heard of the new one yet
    decision = line.decision("5_last")
    await line.stage.decide(decision)
    assert await line.rest(decision) == [(POSTED, 0)]
    assert all(len(headers["webhook-signature"].split(" ")) <= 2 for headers in line.receiver.got["/in"])


async def test_what_receivers_answer(line: Line) -> None:
    await line.secret()
    await line.stage.started()
    answers = {
        "/gone": (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", FAILED, GONE),
        "/moved": (
            b"HTTP/1.1 308 M\r\nLocation: /in\r\nContent-Length: 0\r\n\r\n",
            FAILED,
            INVALID,
        ),
        "/bad": (b"HTTP/1.1 400 B\r\nContent-Length: 0\r\n\r\n", FAILED, INVALID),
        "/busy": (
            b"HTTP/1.1 503 B\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n",
            POSTED,
            NONE,
        ),
    }
    decisions = []
    for number, (path, (answer, _, _)) in enumerate(answers.items()):
        line.receiver.answers[path] = [answer]
        decisions.append(line.decision(f"2_{number}", path))
    inside = line.decision("2_8", url="https://10.0.0.1/x")
    secretless = line.decision("2_9", secret="none")
    await line.stage.decide(*decisions, inside, secretless)
    assert await line.rest(*decisions) == [(state, reason) for _, state, reason in answers.values()]
    assert await line.rest(inside, secretless) == [
        (FAILED, INVALID),
        (FAILED, NO_SECRET),
    ]
    assert [len(line.receiver.got[path]) for path in ("/gone", "/moved", "/bad", "/busy", "/in")] == [1, 1, 1, 2, 0]
    first, second = (int(headers["webhook-timestamp"]) for headers in line.receiver.got["/busy"])
    assert second >= first + 1, "not before it was asked to"


async def test_a_receiver_that_hangs_delays_no_reply(line: Line) -> None:
    await line.secret()
    await line.stage.started()
    line.receiver.hanging.add("/hang")
    network, account = line.stage.network, line.stage.account
    stuck = [line.decision(f"3_{number}", "/hang") for number in range(40)]
    await line.stage.decide(*stuck)
    while not line.receiver.got["/hang"]:
        await line.stage.read()
    comment = network.comment("facebook", account, "hello?")
    reply = line.stage.decision(comment)
    await line.stage.decide(reply)
    assert await line.rest(reply) == [(POSTED, 0)]
    assert network.replies()[comment] == 1
    assert all(not line.stage.deliveries[one.actions[0].action_id] for one in stuck)


@pytest.mark.parametrize("point", ["publisher.after_sending", "publisher.after_response"])
async def test_a_notification_survives_the_death_of_its_sender(line: Line, point: str) -> None:
    """At least once, and always under one id, so that the receiver can tell."""
    await line.secret()
    process = line.stage.worker(FAILPOINT=f"{point}:kill")
    decision = line.decision("4_1")
    decision.event_time.CopyFrom(to_timestamp(datetime.now(UTC)))
    await line.stage.decide(decision)
    await line.stage.died(process)
    line.stage.worker()
    assert await line.rest(decision) == [(POSTED, 0)]
    ids = {headers["webhook-id"] for headers in line.receiver.got["/in"]}
    assert ids == {decision.actions[0].action_id}
