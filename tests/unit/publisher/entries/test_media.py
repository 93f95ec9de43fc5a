"""What may be fetched and kept: real pictures and films over real TLS, and nothing that only says it is one."""

import asyncio
import hashlib
import ipaddress
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from antiphon.egress import Egress
from antiphon.errors import Invalid, Transient
from publisher.adapters.media import EgressMedia, sniffed
from publisher.adapters.memory_entries import MemoryMedia
from publisher.domain.entries.model import MediaRef
from publisher.entry_ports import File
from publisher.service.entries.fetching import PROBE, STORE_RESTS, WAITS, probe

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(40)
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01" + bytes(40)
GIF = b"GIF89a" + bytes(40)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(40)
MP4 = b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isomiso2avc1mp41" + bytes(40)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>'
HTML = b"<!doctype html><html><script>1</script></html>"
MOST = 4_096


@pytest.mark.parametrize(
    ("content", "mime"),
    [(PNG, "image/png"), (JPEG, "image/jpeg"), (GIF, "image/gif"), (WEBP, "image/webp"), (MP4, "video/mp4")],
)
def test_types_are_read_from_the_bytes(content: bytes, mime: str) -> None:
    assert sniffed(content) == mime


@pytest.mark.parametrize("content", [SVG, HTML, b"", b"%PDF-1.7", b"PK\x03\x04", b"MZ\x90", bytes(64), b"GIF", b"text"])
def test_everything_else_is_nothing(content: bytes) -> None:
    assert sniffed(content) == ""


class Server:
    """Answers each path as told."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {}
        self.port = 0

    def put(self, path: str, body: bytes, kind: str = "image/png", status: str = "200 OK", length: int | None = None) -> str:
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n"
        self.answers[path] = head.encode() + b"Connection: close\r\nLocation: https://localhost/\r\n\r\n" + body
        return f"https://localhost:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).decode().split()[1]
        writer.write(self.answers[path])
        await writer.drain()
        writer.close()


def localhost(directory: Path) -> Path:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file = directory / "localhost.pem"
    file.write_bytes(private + made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
async def fetching(tmp_path: Path) -> AsyncIterator[tuple[Server, EgressMedia]]:
    pem, found = localhost(tmp_path), Server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    server = await asyncio.start_server(found.serve, "localhost", 0, ssl=context, family=2)
    found.port = server.sockets[0].getsockname()[1]
    allowed = [ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128")]
    egress = Egress(allowed=allowed, tls=ssl.create_default_context(cafile=str(pem)))
    yield found, EgressMedia(egress, most=MOST, seconds=5.0)
    await egress.aclose()
    server.close()


async def test_a_picture_is_fetched_with_its_hash(fetching: Any) -> None:
    server, media = fetching
    file = await media.fetch(server.put("/a", PNG, "image/png; charset=binary"))
    assert (file.mime, file.sha256) == ("image/png", hashlib.sha256(PNG).hexdigest())
    whole = PNG + bytes(MOST - len(PNG))
    assert len((await media.fetch(server.put("/full", whole))).content) == MOST


@pytest.mark.parametrize(
    ("body", "kind", "status", "length", "reason"),
    [
        (PNG, "text/html", "200 OK", None, "not_media"),
        (PNG, "", "200 OK", None, "not_media"),
        (SVG, "image/svg+xml", "200 OK", None, "not_media"),
        (HTML, "image/png", "200 OK", None, "not_media"),
        (MP4, "image/png", "200 OK", None, "type_mismatch"),
        (PNG, "image/png", "404 No", None, "not_there"),
        (PNG, "image/png", "302 Found", None, "not_there"),
        (PNG + bytes(MOST), "image/png", "200 OK", None, "too_large"),
        (PNG, "image/png", "200 OK", 10**9, "too_large"),
    ],
)
async def test_what_is_refused_for_good(
    fetching: Any, body: bytes, kind: str, status: str, length: int | None, reason: str
) -> None:
    server, media = fetching
    with pytest.raises(Invalid) as error:
        await media.fetch(server.put("/a", body, kind, status, length))
    assert error.value.reason == reason


@pytest.mark.parametrize(("status", "length"), [("503 Busy", None), ("429 Slow", None), ("200 OK", 1_000)])
async def test_what_may_be_there_later(fetching: Any, status: str, length: int | None) -> None:
    server, media = fetching
    with pytest.raises(Transient):
        await media.fetch(server.put("/a", PNG, status=status, length=length))


@pytest.mark.parametrize(
    "url", ["http://localhost/a.png", "https://169.254.169.254/a", "https://10.0.0.1/a.png", "file:///etc/passwd", "https://"]
)
async def test_only_https_to_public_addresses(url: str) -> None:
    egress = Egress()
    with pytest.raises(Invalid) as error:
        await EgressMedia(egress, most=MOST, seconds=2.0).fetch(url)
    assert error.value.reason == "egress_refused"
    await egress.aclose()


async def test_a_medium_that_is_away_is_tried_again_and_then_says_why(stage: Any) -> None:
    url = "https://cdn.example/a.png"
    stage.servers.files[url] = Transient("the server answered 503")
    await stage.enter("first", media=(MediaRef("image", url), MediaRef("link", "https://x.example")))
    for wait in (0, 31, 301, 1_801, 7_201, 100_000):
        stage.clock.advance(wait)
        await stage.sweep.once()
    assert stage.servers.asked == [url] * 5
    assert [one.reason for one in stage.entry("first").standing.media] == ["the server answered 503"]
    stage.servers.files[url] = Invalid("not_media", "declared as text/html")
    await stage.enter("second", media=(MediaRef("image", url),))
    await stage.sweep.once()
    await stage.sweep.once()
    assert stage.entry("second").standing.media[0].reason == "not_media: declared as text/html"


@pytest.mark.parametrize("shared", [False, True])
async def test_a_file_that_comes_for_an_entry_that_ended_meanwhile_is_not_kept(stage: Any, shared: bool) -> None:
    url, sha256 = "https://cdn.example/a.png", "a" * 64

    async def fetch(_url: str) -> File:
        await stage.delete("first")
        return File(sha256, "image/png", PNG)

    if shared:
        stage.servers.files[url] = File(sha256, "image/png", PNG)
        await stage.enter("other", "u2", media=(MediaRef("image", url),))
        await stage.sweep.once()
    stage.servers.fetch = fetch
    await stage.enter("first", media=(MediaRef("image", url),))
    await stage.sweep.once()
    assert stage.state("first") == "ineligible"
    assert list(stage.media.files) == ([sha256] if shared else [])


async def test_while_the_store_is_away_nothing_is_fetched_in_vain_and_no_try_is_used_up(stage: Any) -> None:
    urls = [f"https://cdn.example/{name}.png" for name in "abc"]
    files = dict(zip(urls, (File(name * 64, "image/png", PNG) for name in "abc"), strict=True))
    stage.servers.files |= files
    put = stage.media.put

    async def first_alone(file: File) -> None:
        if file.sha256 != "a" * 64:
            raise Transient("the media store is away")
        await put(file)

    stage.media.put = first_alone
    await stage.enter("first", media=(MediaRef("image", urls[0]), MediaRef("image", urls[1])))
    await stage.enter("second", "u2", media=(MediaRef("image", urls[2]),))
    rounds = 2 * len(WAITS)
    for _ in range(rounds):
        for _ in range(2):
            await stage.sweep.once()
        stage.clock.advance(STORE_RESTS)
    assert len(stage.servers.asked) == 1 + rounds, "one medium a round finds out how the store is"
    assert stage.servers.asked.count(urls[0]) == 1
    assert [medium.sha256 for medium in stage.entry("first").standing.media] == ["a" * 64, ""]
    assert {stage.entry(name).standing.media_tries for name in ("first", "second")} == {0}

    stage.media.put = put
    await stage.sweep.once()
    assert sorted(stage.media.files) == ["a" * 64, "b" * 64, "c" * 64]
    assert {stage.entry(name).standing.media_at for name in ("first", "second")} == {None}


async def test_a_start_leaves_nothing_in_the_store() -> None:
    store = MemoryMedia()
    await probe(store)
    assert store.files == {}
    assert hashlib.sha256(PROBE.content).hexdigest() == PROBE.sha256
