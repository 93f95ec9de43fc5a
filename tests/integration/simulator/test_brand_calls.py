"""The brand's side: Graph calls as a client over real connections sees them, and the echoes they leave."""

import asyncio
import os
import re
import sys
from typing import Any

import httpx
import orjson
import pytest


async def test_a_reply_is_posted_listed_echoed_and_counted(box: Any) -> None:
    await box.account()
    comment = await box.comment("where is my bag?")
    answer = await box.reply(comment, "On its way 🧳")
    assert answer.status_code == 200
    listing = await box.graph("GET", f"{comment}/comments", params={"fields": "id,from,message,created_time"})
    [row] = listing.json()["data"]
    assert row["id"] == answer.json()["id"]
    assert row["from"] == {"id": "100100", "name": "Brand"}
    await box.drained()
    echo = next(value for value in box.hook.values() if value["from"]["id"] == "100100")
    assert (echo["comment_id"], echo["parent_id"], echo["message"]) == (row["id"], comment, "On its way 🧳")
    stats = await box.stats()
    assert (stats["replies"], stats["replies_by_parent"]) == (1, {comment: 1})
    assert (stats["accepted_comments"], stats["accepted_echoes"]) == (1, 1)
    assert (stats["max_replies_per_comment"], stats["comments_answered_twice"]) == (1, 0)
    assert stats["latency_ms"]["p50"] > 0


async def test_instagram_replies_and_private_replies_echo_too(box: Any) -> None:
    await box.account("instagram")
    comment = await box.comment("love it", "instagram")
    answer = await box.graph("POST", f"{comment}/replies", "instagram", params={"message": "thank you/merci"})
    body = {"recipient": {"comment_id": comment}, "message": {"text": "a code for you"}}
    private = await box.graph("POST", "17841400000000001/messages", "instagram", json=body)
    assert private.json()["recipient_id"] == "p1"
    hidden = await box.graph("POST", comment, "instagram", params={"hide": "true"})
    assert hidden.json() == {"success": True}
    await box.drained()
    echo = next(value for value in box.hook.values() if value["id"] == answer.json()["id"])
    assert (echo["parent_id"], echo["from"]["id"]) == (comment, "17841400000000001")
    [message] = box.hook.messages()
    assert message["message"]["is_echo"] is True
    assert message["message"]["mid"] == private.json()["message_id"]
    stats = await box.stats()
    assert (stats["private_replies_by_comment"], stats["hidden"]) == ({comment: 1}, 1)


async def test_a_double_post_shows_in_the_statistics(box: Any) -> None:
    await box.account()
    comment = await box.comment()
    await box.reply(comment, "one")
    await box.reply(comment, "two")
    stats = await box.stats()
    assert (stats["comments_answered_twice"], stats["max_replies_per_comment"]) == (1, 2)


@pytest.mark.parametrize("how", ["json", "form", "query", "form-json"])
async def test_parameters_come_as_json_form_or_query_and_tokens_either_way(box: Any, how: str) -> None:
    await box.account()
    comment = await box.comment()
    token = {"access_token": "token-facebook"}
    if how == "form-json":
        data = {**token, "recipient": f'{{"comment_id":"{comment}"}}', "message": '{"text":"psst"}'}
        answer = await box.http.post("/me/messages", data=data)
        assert "message_id" in answer.json()
        return
    given = {"json": {"message": "x"}} if how == "json" else {}
    given = {"data": {"message": "x", **token}} if how == "form" else given
    params = token if how != "form" else {}
    params = {**params, "message": "x"} if how == "query" else params
    answer = await box.http.post(f"/{comment}/comments", params=params, **given)
    assert answer.json().keys() == {"id"}, answer.text


async def test_pages_can_be_followed_by_their_next_links(box: Any) -> None:
    await box.account()
    comment = await box.comment()
    for number in range(5):
        await box.reply(comment, f"{number}")
    params = {"fields": "message", "limit": 2, "access_token": "token-facebook"}
    page = (await box.http.get(f"/v23.0/{comment}/comments", params=params)).json()
    found = [row["message"] for row in page["data"]]
    while "next" in page["paging"]:
        page = (await box.http.get(page["paging"]["next"])).json()
        found += [row["message"] for row in page["data"]]
    assert found == list("01234")


async def test_tokens_that_are_missing_unknown_or_expired(box: Any) -> None:
    await box.account()
    comment = await box.comment()
    missing = await box.http.post(f"/{comment}/comments", json={"message": "x"})
    unknown = await box.graph("POST", f"{comment}/comments", "unknown", json={"message": "x"})
    await box.control("POST", "accounts/facebook/100100/token", {"expired": True})
    expired = await box.reply(comment)
    codes = [(answer.status_code, answer.json()["error"]["code"]) for answer in (missing, unknown, expired)]
    assert codes == [(401, 104), (401, 190), (401, 190)]
    assert expired.json()["error"]["error_subcode"] == 463
    await box.control("POST", "accounts/facebook/100100/token", {"token": "token-facebook"})
    assert (await box.reply(comment)).status_code == 200


async def test_a_used_up_budget_is_announced_and_enforced(box: Any) -> None:
    await box.account()
    comment = await box.comment()
    await box.control("PUT", "accounts/facebook/100100/limits", {"calls_per_hour": 20, "code": 32})
    answers = [await box.graph("GET", comment) for _ in range(19)]
    used = [orjson.loads(answer.headers["x-app-usage"])["call_count"] for answer in answers]
    assert used == sorted(used)
    assert used[-1] >= 50
    await box.control("PUT", "accounts/facebook/100100/limits", {"calls_per_hour": 1})
    await box.graph("GET", comment)
    over = await box.graph("GET", comment)
    assert (over.status_code, over.json()["error"]["code"]) == (403, 80001)
    [business] = orjson.loads(over.headers["x-business-use-case-usage"])["100100"]
    assert (business["type"], business["call_count"], business["estimated_time_to_regain_access"]) == ("pages", 100, 1)


ANSWERED = {
    "error": (403, 368),
    "http_500_after_apply": (500, 1),
}
LOST = ["timeout_after_apply", "timeout_before_apply", "reset_after_apply", "reset_before_apply"]


@pytest.mark.parametrize("action", LOST)
async def test_answers_get_lost_before_or_after_the_deed(box: Any, action: str) -> None:
    await box.account()
    comment = await box.comment()
    await box.control("POST", "faults", [{"match": {"call": "reply", "target": comment}, "action": action}])
    kind = httpx.ReadTimeout if action.startswith("timeout") else (httpx.ReadError, httpx.RemoteProtocolError)
    with pytest.raises(kind):
        await box.reply(comment, timeout=0.3)
    after = (await box.stats())["replies_by_parent"]
    assert after == ({comment: 1} if action.endswith("after_apply") else {})
    assert (await box.reply(comment, "another text")).status_code == 200


@pytest.mark.parametrize("action", ANSWERED)
async def test_errors_are_answered_with_the_platform_s_body(box: Any, action: str) -> None:
    await box.account()
    comment = await box.comment()
    headers = {"X-App-Usage": '{"call_count":100}'}
    await box.control("POST", "faults", {"action": action, "code": 368, "headers": headers})
    answer = await box.reply(comment)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == ANSWERED[action]
    assert {"message", "type", "fbtrace_id"} <= error.keys()
    assert (answer.headers["x-app-usage"] == headers["X-App-Usage"]) is (action == "error")
    assert (await box.stats())["replies"] == (0 if action == "error" else 1)


async def test_a_success_can_be_unreadable_slow_or_late(box: Any, until: Any) -> None:
    await box.account()
    comments = [await box.comment(str(number)) for number in range(3)]
    actions = [{"action": "unreadable_200"}, {"action": "slow", "seconds": 0.2}, {"action": "late_apply", "seconds": 0.3}]
    await box.control("POST", "faults", actions)
    garbled = await box.reply(comments[0])
    assert garbled.status_code == 200
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(garbled.content)
    slow = await box.reply(comments[1])
    assert slow.elapsed.total_seconds() >= 0.2
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        await box.reply(comments[2])
    now = await box.stats()
    assert now["replies_by_parent"] == {comments[0]: 1, comments[1]: 1}
    assert now["waiting"]["late_applies"] == 1
    await box.drained()
    assert (await box.stats())["replies_by_parent"] == dict.fromkeys(comments, 1)


async def test_a_listing_lags_by_the_visibility_delay(box: Any) -> None:
    await box.account()
    comment = await box.comment()
    await box.control("PUT", "chaos", {"visibility_delay": 0.3})
    await box.reply(comment)
    assert (await box.graph("GET", f"{comment}/comments")).json()["data"] == []
    for _ in range(200):
        if (await box.graph("GET", f"{comment}/comments")).json()["data"]:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("the reply never showed")


async def test_bodies_that_are_no_json_and_paths_that_are_no_paths(box: Any) -> None:
    await box.account()
    headers = {"Authorization": "Bearer token-facebook", "content-type": "application/json"}
    for body in (b"{", b"[]", b"\xff"):
        answer = await box.http.post("/1/comments", content=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, 100)
    answer = await box.http.post("/v23.0/a/b/c", headers=headers)
    assert answer.json()["error"]["code"] == 2500
    answer = await box.http.post("/1/comments", content=b"x" * 1_100_000, headers=headers)
    assert answer.status_code == 413


async def test_the_page_is_self_contained_and_shows_threads_as_they_grow(box: Any) -> None:
    await box.account()
    page = await box.http.get("/")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert not re.search(r"(src|href)=\"(https?:)?//|<script>|style=|onclick", page.text)
    for name in re.findall(r"(?:src|href)=\"(page/[^\"]+)\"", page.text):
        asset = await box.http.get(f"/{name}")
        assert asset.status_code == 200
        assert "innerHTML" not in asset.text
    comment = await box.comment("<script>alert(1)</script>")
    first = (await box.http.get("/page/feed")).json()
    [card] = first["cards"]
    assert card["items"][0]["text"] == "<script>alert(1)</script>"
    await box.reply(comment)
    body = {"recipient": {"comment_id": comment}, "message": {"text": "psst"}}
    await box.graph("POST", "me/messages", json=body)
    await box.graph("POST", comment, json={"is_hidden": True})
    [card] = (await box.http.get("/page/feed", params={"after": first["version"]})).json()["cards"]
    assert [(item["own"], item.get("private", False)) for item in card["items"]] == [
        (False, False), (True, False), (True, True),
    ]  # fmt: skip
    assert card["items"][0]["hidden"] is True
    other = (await box.http.get("/page/feed", params={"platform": "instagram"})).json()
    assert other["cards"] == []


async def test_it_runs_as_a_program_and_stops_when_told() -> None:
    environment = {**os.environ, "SIMULATOR_SEED": "42"}
    command = [sys.executable, "-m", "simulator", "--port", "0", "--clock-scale", "3600"]
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    try:
        assert process.stderr is not None
        lines = b""
        while (found := re.search(rb"listening on (http://\S+)", lines)) is None:
            line = await asyncio.wait_for(process.stderr.readline(), 30)
            assert line, lines
            lines += line
        assert b"seed 42" in lines
        async with httpx.AsyncClient(base_url=found[1].decode(), trust_env=False) as http:
            for _ in range(300):
                try:
                    answer = await http.get("/healthz")
                    break
                except httpx.ConnectError:
                    await asyncio.sleep(0.02)
            else:
                raise AssertionError("it never answered")
            assert answer.json() == {"status": "ok"}
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 10) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
