"""Calls to addresses that strangers chose: the inside is never reached, and no answer can hurt."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from antiphon.egress import MAX_ANSWER, Address, Egress, Network, is_public
from antiphon.errors import Invalid, Transient

LOOPBACK: Network = ipaddress.ip_network("127.0.0.0/8")
NAME = "hooks.shop.example"


class Authority:
    """A certificate authority of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._key = directory, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        made = self._builder(self._name, self._key.public_key())
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.file = directory / "authority.pem"
        self.file.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self._name).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))

    def server(self, name: str) -> ssl.SSLContext:
        """Return the context of a server that may call itself `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._builder(x509.Name([]), key.public_key())
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=True)
        file = self._directory / f"{name}.pem"
        file.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def client(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.file))


@dataclass
class Receiver:
    """A TLS server that answers as told and keeps what it was asked."""

    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    answer: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
            self.asked.append(head + await reader.readexactly(length))
            if self.answer is None:
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            else:
                await self.answer(writer)
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextlib.asynccontextmanager
async def listening(context: ssl.SSLContext) -> AsyncIterator[Receiver]:
    receiver = Receiver()
    context.sni_callback = lambda _socket, name, _context: receiver.names.append(name)
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=context)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        await server.wait_closed()


class Names:
    """A name server that gives one answer after the other, the last for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers, self.asked = list(answers), 0

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [ipaddress.ip_address(text) for text in answer]


@contextlib.asynccontextmanager
async def calling(names: Names, authority: Authority, allowed: Sequence[Network] = (LOOPBACK,)) -> AsyncIterator[Egress]:
    egress = Egress(allowed=allowed, tls=authority.client(), resolve=names)
    try:
        yield egress
    finally:
        await egress.aclose()


async def test_the_name_stays_the_name_and_the_address_is_the_checked_one(authority: Authority) -> None:
    names = Names(["127.0.0.1"])
    async with listening(authority.server(NAME)) as receiver, calling(names, authority) as egress:
        reply = await egress.post(
            f"https://{NAME}:{receiver.port}/in?a=1", body=b'{"x":1}', headers={"webhook-id": "m1"}, seconds=5
        )
    assert (reply.status, reply.body, reply.complete) == (204, b"", True)
    head, _, body = receiver.asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /in?a=1 HTTP/1.1\r\n")
    assert f"host: {NAME}:{receiver.port}".encode() in head.lower()
    assert b"webhook-id: m1" in head.lower()
    assert body == b'{"x":1}'
    assert receiver.names == [NAME], "the server was asked for by name"
    assert names.asked == 1, "one connection, one look at the name"


async def test_a_name_that_changes_its_mind_reaches_nothing(authority: Authority) -> None:
    """What was checked is what is connected to: the second answer, for the inside, is never followed unchecked."""
    names, outside = Names(["127.0.0.2"], ["127.0.0.1"]), [ipaddress.ip_network("127.0.0.2/32")]

    async def once(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")

    async with listening(authority.server(NAME)) as canary, calling(names, authority, outside) as egress:
        receiver = Receiver(answer=once)
        server = await asyncio.start_server(receiver.serve, "127.0.0.2", canary.port, ssl=authority.server(NAME))
        url = f"https://{NAME}:{canary.port}/"
        assert (await egress.post(url, body=b"", headers={}, seconds=5)).status == 200
        assert names.asked == 1
        with pytest.raises(Invalid):
            await egress.post(url, body=b"", headers={}, seconds=5)
        server.close()
        await server.wait_closed()
    assert (names.asked, len(receiver.asked)) == (2, 1)
    assert canary.asked == canary.names == []


async def test_one_bad_address_among_good_ones_refuses_all(authority: Authority) -> None:
    for answer in (["8.8.8.8", "10.0.0.1"], ["::1", "2606:4700::1111"], ["127.0.0.1", "192.168.0.1"]):
        async with calling(Names(answer), authority) as egress:
            with pytest.raises(Invalid) as error:
                await egress.post(f"https://{NAME}/", body=b"", headers={}, seconds=0.5)
            assert error.value.reason == "egress_refused"


async def test_a_name_without_an_address_may_get_one_later(authority: Authority) -> None:
    async with Answering(socket.gaierror(-2, "unknown")).calling(authority) as egress:
        with pytest.raises(Transient):
            await egress.post(f"https://{NAME}/", body=b"", headers={}, seconds=0.5)


class Answering:
    """A name server that fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    async def __call__(self, host: str, port: int) -> Sequence[Address]:
        raise self._error

    @contextlib.asynccontextmanager
    async def calling(self, authority: Authority) -> AsyncIterator[Egress]:
        egress = Egress(tls=authority.client(), resolve=self)
        try:
            yield egress
        finally:
            await egress.aclose()


async def test_the_next_address_is_tried_when_one_does_not_listen(authority: Authority) -> None:
    with socket.create_server(("127.0.0.2", 0)) as taken:
        port = taken.getsockname()[1]
    context = authority.server(NAME)
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", port, ssl=context)
    async with calling(Names(["127.0.0.2", "127.0.0.1"]), authority) as egress:
        reply = await egress.post(f"https://{NAME}:{port}/", body=b"", headers={}, seconds=5)
    server.close()
    await server.wait_closed()
    assert reply.status == 204


SPECIAL = [
    "0.0.0.0", "10.255.0.1", "100.64.0.1", "100.127.255.254", "127.0.0.1", "127.9.9.9", "169.254.169.254", "172.16.0.1",
    "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::1",
    "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("text", SPECIAL)
async def test_what_is_not_public_is_not_called(authority: Authority, text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))
    async with calling(Names([text]), authority, ()) as egress:
        with pytest.raises(Invalid):
            await egress.post(f"https://{NAME}/", body=b"", headers={}, seconds=0.5)


@pytest.mark.parametrize("text", ["8.8.8.8", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"])
def test_what_is_public_may_be(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.fixture
def canary() -> Iterator[tuple[int, Callable[[], bool]]]:
    """A listening port on loopback, and whether anybody has knocked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)

        def knocked() -> bool:
            try:
                listener.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        yield listener.getsockname()[1], knocked


WAYS_IN = [
    "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://2130706433:{port}/", "https://0x7f000001:{port}/",
    "https://0177.0.0.1:{port}/", "https://127.1:{port}/", "https://[::1]:{port}/", "https://[::ffff:127.0.0.1]:{port}/",
    "https://[::ffff:7f00:1]:{port}/", "https://0.0.0.0:{port}/", "https://0:{port}/", "https://user@127.0.0.1:{port}/",
    "https://user:pass@localhost:{port}/", "http://127.0.0.1:{port}/", "http://localhost:{port}/", "ftp://127.0.0.1:{port}/",
    "https://127.0.0.1:{port}#@example.com/", "https://example.com@127.0.0.1:{port}/", "https://127.0.0.1%00:{port}/",
    "https://\u2460\u2461\u2467.0.0.1:{port}/", "https://localhost.:{port}/", "https:///:{port}", "https://",
    "//127.0.0.1:{port}/", "127.0.0.1:{port}", "", "https://[::1:{port}/", "https://127.0.0.1:99999/", "https://[fe80::1%25lo]:{port}/",
    "file:///etc/passwd", "gopher://127.0.0.1:{port}/", "https://127.0.0.1:{port}\\@example.com/", "https://127\u30020\u30020\u30021:{port}/",
]  # fmt: skip


@pytest.mark.parametrize("url", WAYS_IN)
async def test_no_spelling_leads_inside(canary: tuple[int, Callable[[], bool]], authority: Authority, url: str) -> None:
    port, knocked = canary
    egress = Egress(tls=authority.client())  # with the system's own names
    with pytest.raises((Invalid, Transient)):
        await egress.post(url.replace("{port}", str(port)), body=b"", headers={}, seconds=2)
    await egress.aclose()
    assert not knocked()


async def test_other_ports_are_not_called_even_in_public(authority: Authority) -> None:
    async with calling(Names(["8.8.8.8"]), authority) as egress:
        with pytest.raises(Invalid):
            await egress.post(f"https://{NAME}:22/", body=b"", headers={}, seconds=0.5)


async def test_a_redirect_is_an_answer_like_any_other(authority: Authority) -> None:
    async with listening(authority.server(NAME)) as inside, listening(authority.server(NAME)) as receiver:

        async def away(writer: asyncio.StreamWriter) -> None:
            writer.write(f"HTTP/1.1 307 T\r\nLocation: https://{NAME}:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode())

        receiver.answer = away
        async with calling(Names(["127.0.0.1"]), authority) as egress:
            reply = await egress.post(f"https://{NAME}:{receiver.port}/", body=b"", headers={}, seconds=5)
        assert reply.status == 307
        assert inside.asked == inside.names == []


async def test_a_huge_answer_is_cut(authority: Authority) -> None:
    sent = 0

    async def flood(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n")
        while sent < 50 * 2**20:
            writer.write(b"10000\r\n" + bytes(65536) + b"\r\n")
            sent += 65536
            await writer.drain()

    async with listening(authority.server(NAME)) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        receiver.answer = flood
        reply = await egress.post(f"https://{NAME}:{receiver.port}/", body=b"", headers={}, seconds=10)
    assert (reply.status, len(reply.body), reply.complete) == (200, MAX_ANSWER, False)
    assert sent < 50 * 2**20, "the receiver was hung up on"


async def test_a_slow_answer_ends_with_the_call(authority: Authority) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 202 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with listening(authority.server(NAME)) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        receiver.answer = drip
        reply = await egress.post(f"https://{NAME}:{receiver.port}/", body=b"", headers={}, seconds=2)
    assert (reply.status, reply.complete) == (202, False)
    assert set(reply.body) == {ord("x")}


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 2", b"HTTP/1.1 200 OK\r\nX: ", b"garbage\r\n\r\n", b"HTTP/1.1 100 C\r\n\r\n"])
async def test_no_answer_at_all_may_come_later(authority: Authority, answer: bytes) -> None:
    async def begin(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    async with listening(authority.server(NAME)) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        receiver.answer = begin
        with pytest.raises(Transient):
            await egress.post(f"https://{NAME}:{receiver.port}/", body=b"", headers={}, seconds=2)


async def test_a_receiver_that_says_nothing_costs_its_time_and_no_more(authority: Authority) -> None:
    async def silence(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with listening(authority.server(NAME)) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        receiver.answer = silence
        with pytest.raises(Transient):
            await egress.post(f"https://{NAME}:{receiver.port}/", body=b"", headers={}, seconds=2)
    assert len(receiver.asked) == 1


async def test_a_certificate_for_another_name_is_refused(authority: Authority) -> None:
    async with listening(authority.server("other.example")) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        with pytest.raises(Transient):
            await egress.post(f"https://{NAME}:{receiver.port}/", body=b"secret", headers={}, seconds=5)
    assert receiver.asked == []


async def test_a_certificate_of_a_strange_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    strange = Authority(tmp_path)
    async with listening(strange.server(NAME)) as receiver, calling(Names(["127.0.0.1"]), authority) as egress:
        with pytest.raises(Transient):
            await egress.post(f"https://{NAME}:{receiver.port}/", body=b"secret", headers={}, seconds=5)
    assert receiver.asked == []
