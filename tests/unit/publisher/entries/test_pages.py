"""What people outside see: escaped, without a script, under policies that allow none, and only what is cleared."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from antiphon import problems
from publisher.adapters import http_consent, http_gallery
from publisher.domain.entries.campaign import By
from publisher.service.entries.showing import Showing

NASTY = "<script>alert(1)</script>\"'&"


@pytest.fixture
async def outside(stage: Any) -> AsyncIterator[httpx.AsyncClient]:
    app = FastAPI()
    problems.install(app)
    http_consent.register(app, stage.desk, stage.inviting, stage.campaigns)
    http_gallery.register(app, Showing(stage.entries, stage.media, stage.clock), stage.campaigns, "https://brand.example")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="https://antiphon.example") as client:
        yield client


async def test_the_gallery_shows_what_is_cleared_and_runs_nothing(stage: Any, outside: httpx.AsyncClient) -> None:
    entry = await stage.granted("first", handle=NASTY)
    await stage.asked("second")
    page = await outside.get("/g/b/summer")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors https://brand.example" in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "<script" not in page.text
    assert page.text.count("<img ") == 1
    digest = entry.standing.media[0].sha256
    assert f'src="/media/{digest}"' in page.text
    file = await outside.get(f"/media/{digest}")
    assert (file.status_code, file.content, file.headers["content-type"]) == (200, b"png of first", "image/png")
    assert file.headers["x-content-type-options"] == "nosniff"
    assert file.headers["cache-control"] == "no-store"
    await stage.desk.revoke(stage.entry("first"), "key", "asked")
    assert (await outside.get(f"/media/{digest}")).status_code == 404
    assert "<img " not in (await outside.get("/g/b/summer")).text


async def test_what_is_not_there_is_not_found(outside: httpx.AsyncClient) -> None:
    assert (await outside.get("/g/b/winter")).status_code == 404
    assert (await outside.get("/g/other/summer")).status_code == 404
    assert (await outside.get("/media/" + "0" * 64)).status_code == 404
    assert (await outside.get("/media/..%2f..%2fetc%2fpasswd")).status_code in {404, 422}
    assert (await outside.get("/c/garbage")).status_code == 404


async def test_a_form_asks_and_takes_one_answer(stage: Any, outside: httpx.AsyncClient) -> None:
    stage.campaigns.terms(by=By.FORM, terms={"default": f"First line\n{NASTY}"})
    entry = await stage.asked("first", object=NASTY)
    path = stage.inviting.link(entry).removeprefix("https://antiphon.example")
    page = await outside.get(path)
    assert page.status_code == 200
    assert "First line<br>&lt;script&gt;" in page.text
    assert not re.search("<script", page.text)
    assert "form-action 'self'" in page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert "set-cookie" not in page.headers
    assert stage.state("first") == "rights_requested", "looking is no answer"
    for body in ("", "answer=maybe", "answer=granted&answer=refused", "x" * 2_000):
        assert (await outside.post(path, content=body)).status_code == 400
    assert stage.state("first") == "rights_requested"
    assert (await outside.post(path, data={"answer": "granted"})).status_code == 200
    assert stage.state("first") == "granted"
    assert (await outside.post(path, data={"answer": "refused"})).status_code == 200
    assert stage.state("first") == "revoked"
    assert (await outside.post(path, data={"answer": "granted"})).status_code == 404
    assert (await outside.get(path)).status_code == 404


async def test_a_link_of_an_older_request_or_past_its_time_is_dead(stage: Any, outside: httpx.AsyncClient) -> None:
    stage.campaigns.terms(by=By.FORM)
    entry = await stage.asked("first")
    path = stage.inviting.link(entry).removeprefix("https://antiphon.example")
    stage.clock.advance(8 * 86_400)
    await stage.sweep.once()
    await stage.sweep.once()
    assert (await outside.post(path, data={"answer": "granted"})).status_code == 404
    again = await stage.desk.request(stage.entry("first"), None, "key")
    assert (await outside.post(path, data={"answer": "granted"})).status_code == 404
    fresh = stage.inviting.link(again).removeprefix("https://antiphon.example")
    assert (await outside.get(fresh)).status_code == 200
