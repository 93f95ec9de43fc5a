"""How a bucket is reached: over TLS that an authority of one's own answers for, and with the role that a cluster lends."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from antiphon.errors import Transient
from publisher.adapters.s3_media import build_s3_media
from publisher.service.entries.fetching import PROBE
from publisher.settings import MediaSettings

KEYS = {"access_key": "a-key", "secret_key": "a-secret"}


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client reads these as any of its kind does."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "REGION", "ENDPOINT_URL", "WEB_IDENTITY_TOKEN_FILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)


def settings(endpoint: str, **more: str) -> MediaSettings:
    given: dict[str, Any] = {"bucket": "media", "endpoint": endpoint, **more}
    return MediaSettings(**{f"publisher_media_s3_{name}": value for name, value in given.items()})


@asynccontextmanager
async def serving(heads: list[str], body: bytes = b"", tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Answer every request with 200, note its head, and give the place."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        lengths = [line.partition(":")[2] for line in head.splitlines() if line.startswith("content-length:")]
        await reader.readexactly(int(lengths[0]) if lengths else 0)
        heads.append(head)
        writer.write(b'HTTP/1.1 200 OK\r\nETag: "e"\r\nConnection: close\r\nContent-Length: %d\r\n\r\n' % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


async def test_an_authority_of_ones_own_is_trusted_when_it_is_named_and_no_other(tmp_path: Path) -> None:
    own, other = trustme.CA(), trustme.CA()
    context, heads = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), list[str]()
    own.issue_cert("127.0.0.1").configure_cert(context)
    for name, authority in {"own": own, "other": other}.items():
        authority.cert_pem.write_to_path(str(tmp_path / name))
    async with serving(heads, tls=context) as place:
        for more in ({}, {"ca_file": str(tmp_path / "other")}):
            with pytest.raises(Transient):
                await build_s3_media(settings(f"https://{place}", **KEYS, **more)).put(PROBE)
        assert heads == []
        await build_s3_media(settings(f"https://{place}", **KEYS, ca_file=str(tmp_path / "own"))).put(PROBE)
    assert len(heads) == 1
    assert f"x-amz-content-sha256: {PROBE.sha256}\r\n" in heads[0], "what is signed is the body, not that there is one"


async def test_without_keys_those_of_the_role_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a pod has them: a token in a file, and a place that gives keys for it."""
    (tmp_path / "token").write_text("the-token-of-the-pod")
    lent = {
        "AccessKeyId": "role-key",
        "SecretAccessKey": "role-secret",
        "Token": "role-token",
        "Expiration": "2100-01-01T00:00:00Z",
    }
    asked, heads = list[str](), list[str]()
    async with serving(asked, orjson.dumps(lent)) as lender, serving(heads) as place:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{lender}/v1/credentials")
        monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
        await build_s3_media(settings(f"http://{place}")).put(PROBE)
        await build_s3_media(settings(f"http://{place}", **KEYS)).put(PROBE)
    assert len(asked) == 1
    assert "the-token-of-the-pod" in asked[0]
    assert ["credential=role-key/" in head for head in heads] == [True, False]
    assert ["x-amz-security-token: role-token" in head for head in heads] == [True, False]
    assert "credential=a-key/" in heads[1]
