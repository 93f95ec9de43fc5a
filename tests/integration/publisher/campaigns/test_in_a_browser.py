"""The gallery and the consent form in a real browser, under their own policies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from antiphon.v1.config_pb2 import RightsTerms

pytestmark = pytest.mark.local

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


async def browse(chromium: str, tmp_path: Path, url: str) -> tuple[str, str]:
    """Return the page as the browser has built it, and what it complained of."""
    process = await asyncio.create_subprocess_exec(
        chromium, *FLAGS, "--enable-logging=stderr", "--v=0", f"--user-data-dir={tmp_path / 'profile'}",
        "--virtual-time-budget=5000", "--dump-dom", url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(90):
        out, err = await process.communicate()
    return out.decode(), err.decode()


@asynccontextmanager
async def site(page: str) -> AsyncIterator[str]:
    """Serve one page from another origin, as a brand's own site does."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n" + page.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


async def test_a_gallery_embedded_in_another_page_and_the_form(party: Any, chromium: str, tmp_path: Path) -> None:
    rights = RightsTerms(
        version=1,
        terms={"default": "Acme may show <this> picture.\nFor a year."},
        by="form",
        answer_seconds=600,
        uses=["gallery"],
    )
    await party.configure(rights=rights)
    await party.started("campaigns", "api")
    entering = party.entering("comment-1", author="ann<script>", shade=7)
    entry_id = entering.actions[0].action_id
    await party.stage.decide(entering)
    await party.reaches(entry_id, "eligible")
    asked = (await party.api("POST", f"/entries/{entry_id}:request-rights")).json()
    link = asked["request"]["link"]
    assert link.startswith(f"{party.url}/c/")
    page, complaints = await browse(chromium, tmp_path, link)
    assert "Acme may show &lt;this&gt; picture.<br>For a year." in page
    assert "Content Security Policy" not in complaints, complaints
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.get(link)
        assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert (await http.post(link, data={"answer": "maybe"})).status_code == 400
        assert (await http.post(link[:-4] + "AAAA", data={"answer": "granted"})).status_code == 404
        assert "You agreed" in (await http.post(link, data={"answer": "granted"})).text
    await party.reaches(entry_id, "granted")
    await party.until(lambda: _shown(party))

    page = f'<!doctype html><h1>Brand</h1><iframe src="{party.url}/g/{party.stage.brand}/summer"></iframe>'
    async with site(page) as outside:
        page, complaints = await browse(chromium, tmp_path, outside)
    assert "<h1>Brand</h1>" in page
    assert "Content Security Policy" not in complaints, complaints
    page, complaints = await browse(chromium, tmp_path, f"{party.url}/g/{party.stage.brand}/summer")
    assert "<h1>Summer &lt;2026&gt;</h1>" in page
    assert "<figcaption>ann&lt;script&gt;</figcaption>" in page
    assert "Content Security Policy" not in complaints, complaints


async def _shown(party: Any) -> bool:
    return bool((await party.api("GET", "/gallery")).json()["items"])
