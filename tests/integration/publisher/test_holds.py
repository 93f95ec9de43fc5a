"""A hold on the configuration topic: what is queued waits for people within five seconds, and people are told once."""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from pymongo import MongoClient

from antiphon.times import to_timestamp
from antiphon.topics import CONFIG
from antiphon.v1.config_pb2 import ConfigRecord, HoldConfig
from antiphon.v1.decision_pb2 import Mode
from antiphon.v1.delivery_pb2 import DeliveryState
from antiphon_local.ports import free_ports

pytestmark = pytest.mark.local

WAITING = DeliveryState.DELIVERY_STATE_WAITING_APPROVAL
POSTED = DeliveryState.DELIVERY_STATE_POSTED
FAILED = DeliveryState.DELIVERY_STATE_FAILED


@dataclass
class Mailbox:
    """A real SMTP server's handler: keeps what it is given, refuses one address for good and another for now."""

    messages: list[Message] = field(default_factory=list)
    sessions: list[Any] = field(default_factory=list)
    password: str = "not the worker's"
    tried: list[str] = field(default_factory=list)

    def login(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: LoginPassword) -> AuthResult:
        self.tried.append(given.password.decode())
        right = (given.login, given.password) == (b"antiphon", self.password.encode())
        return AuthResult(success=right, handled=False)  # False: the server says 535 itself

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address.startswith("nobody@"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.sessions.append(session)
        self.messages.append(message_from_bytes(envelope.content))
        return "250 OK"

    def to(self, address: str) -> list[Message]:
        return [message for message in self.messages if message["To"] == address]


class MailServer(Controller):
    """Hangs up at its end; what it leaves open otherwise is found by the garbage collector in the middle of another test."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        self._talks: list[SMTP] = []
        super().__init__(*args, **settings)

    def factory(self) -> SMTP:
        self._talks.append(super().factory())
        return self._talks[-1]

    def stop(self, no_assert: bool = False) -> None:
        if self.loop.is_running():  # a test that fails early has not started it
            asyncio.run_coroutine_threadsafe(self._hang_up(), self.loop).result()
        super().stop(no_assert)

    async def _hang_up(self) -> None:
        self.server.close()
        for talk in self._talks:
            if talk.transport is not None:
                talk.transport.abort()
        await asyncio.sleep(0)


@pytest.fixture
def smtp() -> Iterator[tuple[Mailbox, Callable[[], None], int]]:
    box, port = Mailbox(), free_ports(1)[0]
    controller = MailServer(box, hostname="127.0.0.1", port=port)
    yield box, controller.start, port
    controller.stop(no_assert=True)


@pytest.fixture
def strict_smtp(localhost_pem: Path) -> Iterator[tuple[Mailbox, int]]:
    """A server that speaks to nobody before STARTTLS, and takes nothing without a login."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(localhost_pem)
    box, port = Mailbox(), free_ports(1)[0]
    strict = {"tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": box.login}
    controller = MailServer(box, hostname="127.0.0.1", port=port, **strict)
    controller.start()
    yield box, port
    controller.stop(no_assert=True)


async def hold(stage: Any, generation: int, *, active: bool = True, **more: Any) -> float:
    """Publish a state of the stage's hold; return when it was on the topic (monotonic)."""
    values = {"reason": "12 times the usual", "severity": 9, "mode": Mode.MODE_APPROVAL, **more}
    config = HoldConfig(brand=stage.brand, hold="h1", active=active, **values)
    record = ConfigRecord(generation=generation, changed_time=to_timestamp(datetime.now(UTC)), actor="guard", hold=config)
    await stage.producer.send_and_wait(CONFIG, record.SerializeToString(), key=f"hold/{stage.brand}/h1".encode())
    return time.monotonic()


def delayed(stage: Any, seconds: float, **more: Any) -> Any:
    """Return a decision whose action is queued for so long, and its action's id."""
    decision = stage.decision(stage.network.comment(stage.platform, stage.account, "hi"), **more)
    decision.actions[0].not_before_time.CopyFrom(to_timestamp(datetime.now(UTC) + timedelta(seconds=seconds)))
    return decision


async def test_what_is_queued_waits_for_people_within_five_seconds(stage_for: Any) -> None:
    stage = await stage_for()
    await stage.started()
    queued = [delayed(stage, 8.0) for _ in range(40)]
    outside = delayed(stage, 8.0, rule="other")
    await stage.decide(*queued, outside)
    await asyncio.sleep(2.0)
    published = await hold(stage, 1, rule_id="r1")
    actions = [decision.actions[0].action_id for decision in queued]
    last = await stage.rest(actions, 20.0)
    took = time.monotonic() - published
    assert {one.state for one in last.values()} == {WAITING}
    assert took < 5.0, f"took {took:.1f} s"

    late = stage.decision(stage.network.comment(stage.platform, stage.account, "late"))
    await stage.decide(late)
    last = await stage.rest([late.actions[0].action_id, outside.actions[0].action_id])
    assert last[late.actions[0].action_id].state == WAITING, "decided before the engine knew"
    assert last[outside.actions[0].action_id].state == POSTED, "the hold goes no further than its scope"
    replied = stage.network.replies()
    assert not any(decision.object in replied for decision in (*queued, late))

    await hold(stage, 2, active=False, rule_id="r1", reason="over")
    await asyncio.sleep(1.0)
    after = stage.decision(stage.network.comment(stage.platform, stage.account, "after"))
    await stage.decide(after)
    last = await stage.rest([after.actions[0].action_id, *actions])
    assert last[after.actions[0].action_id].state == POSTED, "new ones are automatic again"
    assert {last[name].state for name in actions} == {WAITING}, "what waits goes on waiting: no flood"


async def test_people_are_told_by_e_mail_once_however_often_it_is_read(
    stage_for: Any, smtp: tuple[Mailbox, Callable[[], None], int]
) -> None:
    box, start, port = smtp
    stage = await stage_for()
    env = {
        "PUBLISHER_SMTP_HOST": "127.0.0.1",
        "PUBLISHER_SMTP_PORT": str(port),
        "PUBLISHER_SMTP_TLS": "off",
        "PUBLISHER_SMTP_FROM": "Antiphon <guard@antiphon.example>",
    }
    first = await stage.started(**env)
    people = ["team@acme.example", "nobody@acme.example"]
    await hold(stage, 1, emails=people, reason="12 times\r\nBcc: thief@evil.example")
    await asyncio.sleep(3.0)
    assert not box.messages, "the server is away"
    await asyncio.to_thread(start)
    deadline = time.monotonic() + 40
    while not box.to("team@acme.example"):
        assert time.monotonic() < deadline, first.log_tail(20)
        await asyncio.sleep(0.2)
    (message,) = box.to("team@acme.example")
    assert str(message["Message-ID"]).endswith("@antiphon.example>")
    assert message["Bcc"] is None
    assert "12 times" in message.get_payload(decode=True).decode()  # type: ignore[union-attr]

    first.stop()
    await stage.started(**env)
    await hold(stage, 2, active=False, emails=people[:1], reason="over")
    deadline = time.monotonic() + 40
    while len(box.to("team@acme.example")) < 2:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.2)
    await asyncio.sleep(2.0)
    assert len(box.to("team@acme.example")) == 2, "a restart reads the hold again and tells nobody twice"
    refused: set[str] = set()
    while not refused:
        await stage.read()
        refused = {one.detail for all_ in stage.deliveries.values() for one in all_ if one.state == FAILED}
        assert time.monotonic() < deadline + 20
    assert ["550 5.1.1 no such mailbox" in detail for detail in refused] == [True]


async def test_a_refused_login_loses_nothing_and_what_is_handed_in_is_encrypted(
    stage_for: Any, strict_smtp: tuple[Mailbox, int], localhost_pem: Path
) -> None:
    box, port = strict_smtp
    stage = await stage_for()
    worker = await stage.started(
        PUBLISHER_SMTP_HOST="localhost",
        PUBLISHER_SMTP_PORT=str(port),
        PUBLISHER_SMTP_CA_FILE=str(localhost_pem),
        PUBLISHER_SMTP_USERNAME="antiphon",
        PUBLISHER_SMTP_PASSWORD="a long password",
    )
    await hold(stage, 1, emails=["desk@acme.example"])
    refused = "the mail server refuses the login: 535"
    await until(lambda: queued(stage) == [("new", refused)], worker)
    assert not box.messages

    box.password = "a long password"
    await until(lambda: queued(stage) == [("posted", "")], worker)
    assert len(box.to("desk@acme.example")) == 1
    assert all(session.ssl is not None and session.authenticated for session in box.sessions)
    assert set(box.tried) == {"a long password"}
    assert "a long password" not in worker.log_text()


def queued(stage: Any) -> list[tuple[str, str]]:
    """State and detail of everything of the stage's brand; the worker tells of the holds of others, too."""
    with MongoClient[dict[str, Any]](stage.env["MONGO_URI"]) as client:
        found = client[stage.env["MONGO_DATABASE"]]["deliveries"].find({"brand": stage.brand})
        return [(one["state"], one["detail"]) for one in found]


async def until(condition: Callable[[], bool], worker: Any, seconds: float = 40.0) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, worker.log_tail(20)
        await asyncio.sleep(0.1)
