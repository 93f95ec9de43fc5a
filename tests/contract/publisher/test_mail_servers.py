"""Mail servers that are slow, stop answering or hang up: no longer than a send may take, and the truth about the message."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from pydantic import SecretStr

from antiphon.clock import SystemClock
from publisher.adapters.email import Email, Server
from publisher.domain.calls import Answer, Deed, Done, Unclear
from publisher.domain.model import Kind
from publisher.ports import Channel

ALLOWED_S = 1.0
"""For a whole send."""

SAFE_S = 4.0
"""What two commands alone would take if each were allowed the whole; with room for a busy machine above `ALLOWED_S`."""

REPLIES = {"EHLO": "250 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken", "QUIT": "221 bye"}


@dataclass
class SlowServer:
    """Speaks SMTP in clear: `pause_s` before each reply, `silent_at` that command for ever, `closes_at` it without a reply."""

    pause_s: float = 0.0
    silent_at: str = ""
    closes_at: str = ""
    taken: int = 0
    heard: list[str] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[int]:
        talks: set[asyncio.Task[None]] = set()

        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talks.add(asyncio.ensure_future(self._speak(reader, writer)))

        server = await asyncio.start_server(begin, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        for talk in talks:
            talk.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        server.close()
        await server.wait_closed()

    async def _speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"220 test\r\n")
            in_message = False
            while line := (await reader.readline()).decode():
                if in_message and line != ".\r\n":
                    continue
                command = line.split()[0].upper()
                self.heard.append(command)
                in_message = command == "DATA"
                self.taken += command == "."
                await asyncio.sleep(60 if command == self.silent_at else self.pause_s)
                if command == self.closes_at:
                    break
                writer.write(f"{REPLIES[command]}\r\n".encode())
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def sent(server: SlowServer) -> tuple[Answer, float]:
    """Return what came of one message, and after how many seconds."""
    async with server.running() as port:
        mail = Email(Server(host="127.0.0.1", port=port, sender="guard@antiphon.example"), SystemClock(), timeout=ALLOWED_S)
        deed = Deed("a1", Kind.NOTIFY, "comment", "mailto:anna@acme.example", "", "A hold\nfor a reason", 0.0)
        begun = time.monotonic()
        answer = await mail.act(Channel("acme", "", "email", "", SecretStr("")), deed)
        return answer, time.monotonic() - begun


async def test_a_quick_one_takes_it() -> None:
    server = SlowServer()
    answer, _ = await sent(server)
    assert isinstance(answer.outcome, Done)
    assert (server.taken, server.heard[-1]) == (1, "QUIT")


@pytest.mark.parametrize(
    ("server", "outcome"),
    [
        (SlowServer(pause_s=0.4), Unclear),  # each command in time, all of them not
        (SlowServer(silent_at="EHLO"), Unclear),
        (SlowServer(silent_at="."), Unclear),
        (SlowServer(silent_at="QUIT"), Done),
        (SlowServer(closes_at="EHLO"), Unclear),
        (SlowServer(closes_at="."), Unclear),
        (SlowServer(closes_at="QUIT"), Done),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else f"{value.pause_s}-{value.silent_at}-{value.closes_at}",
)
async def test_it_takes_no_longer_than_a_send_may_and_tells_what_is_known(server: SlowServer, outcome: type) -> None:
    answer, seconds = await sent(server)
    assert isinstance(answer.outcome, outcome), answer
    assert seconds < SAFE_S
