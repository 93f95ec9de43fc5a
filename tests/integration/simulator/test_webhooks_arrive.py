"""From a person's comment to the subscriber's door."""

from typing import Any

import orjson
import pytest

from simulator.settings import Settings

TEXTS = ["ärger über Koffer 😡", "متى تفتح؟", 'a/b \\ "quoted"', "行李在哪里", "\u2028 line"]


async def test_the_handshake_subscribes_and_says_why_not(box: Any) -> None:
    good = await box.account()
    assert (good["subscribed"], good["handshake"]) == (True, {"ok": True, "status": 200, "reason": ""})
    wrong = await box.account(verify_token="something else")
    assert (wrong["subscribed"], wrong["handshake"]["status"]) == (False, 403)
    away = await box.account(webhook_url="http://127.0.0.1:9/none")
    assert away["handshake"]["ok"] is False
    assert "ConnectError" in away["handshake"]["reason"]
    await box.comment()
    await box.drained()
    assert box.hook.seen == 0
    assert (await box.stats())["unsubscribed"] == 1
    assert "secret" not in orjson.dumps(await box.control("GET", "accounts")).decode()


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
async def test_texts_in_any_script_arrive_signed_escaped_and_intact(box: Any, platform: str) -> None:
    await box.account(platform)
    for text in TEXTS:
        await box.comment(text, platform)
    await box.drained()
    name = "message" if platform == "facebook" else "text"
    assert sorted(value[name] for value in box.hook.values()) == sorted(TEXTS)
    assert box.hook.refused == 0
    assert all(raw.isascii() for raw in box.hook.bodies)
    assert b"a\\/b" in b"".join(box.hook.bodies)
    stats = await box.stats()
    assert (stats["accepted"], stats["accepted_comments"], stats["pending"]) == (5, 5, 0)


async def test_every_kind_of_happening_is_told(box: Any) -> None:
    await box.account()
    comment = await box.comment("frist")
    base = {"platform": "facebook", "account": "100100"}
    pat = {"author": {"id": "p2", "name": "Pia"}}
    await box.control("POST", f"comments/{comment}/edit", {"text": "first"})
    await box.control("POST", f"comments/{comment}/hide", {"hidden": True})
    await box.control("POST", f"comments/{comment}/hide", {"hidden": False})
    await box.control("POST", "reactions", {**pat, "target": comment, "reaction": "love"})
    await box.control("POST", "posts", {**base, **pat, "text": "look at this"})
    await box.control("POST", "messages", {**base, **pat, "text": "a word"})
    await box.control("POST", "mentions", {**base, **pat, "text": "@Brand rocks"})
    await box.control("POST", "reviews", {**base, **pat, "text": "good", "positive": True})
    await box.control("POST", f"comments/{comment}/delete")
    await box.drained()
    told = {(change["field"], change["value"]["item"], change["value"]["verb"]) for change in box.hook.changes()}
    assert told == {
        ("feed", "comment", "add"), ("feed", "comment", "edited"), ("feed", "comment", "hide"),
        ("feed", "comment", "unhide"), ("feed", "comment", "remove"), ("feed", "reaction", "add"),
        ("feed", "post", "add"), ("mention", "comment", "add"), ("ratings", "rating", "add"),
    }  # fmt: skip
    [message] = box.hook.messages()
    assert message["message"]["text"] == "a word"
    assert message["timestamp"] > 10**12


async def test_a_refused_delivery_comes_again_until_it_is_taken(box: Any) -> None:
    await box.account()
    box.hook.answers = [503, 500, 404]
    comment = await box.comment()
    await box.drained()
    stats = await box.stats()
    assert [value["comment_id"] for value in box.hook.values()] == [comment]
    assert (box.hook.seen, stats["retried"], stats["accepted"], stats["dropped"]) == (4, 3, 1, 0)


async def test_a_retry_goes_to_the_account_s_new_address(box: Any, until: Any) -> None:
    await box.account()
    box.hook.always = 503
    await box.comment()
    await until(lambda: box.hook.seen >= 2)
    box.hook.always = 200
    await box.account(webhook_url=box.hook.url + "?moved=1")
    await box.drained()
    assert len(box.hook.values()) == 1


class TestDrop:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(seed=11, clock_scale=360_000, linger_ms=0)

    async def test_after_36_hours_a_delivery_is_dropped(self, box: Any) -> None:
        await box.account()
        box.hook.always = 503
        await box.comment()
        await box.drained()
        stats = await box.stats()
        assert (stats["dropped"], stats["accepted"], stats["pending"]) == (1, 0, 0)
        assert 3 <= box.hook.seen <= 13


async def test_a_bulk_is_batched_and_counted_once_however_often_it_is_sent(box: Any) -> None:
    await box.account()
    await box.account("instagram")
    accounts = [("facebook", "100100"), ("instagram", "17841400000000001")]
    lines = [
        orjson.dumps({"platform": platform, "account": name, "author": {"id": f"u{n}"}, "text": f"n {n}", "created_time": 1.7e9})
        for n in range(600)
        for platform, name in [accounts[n % 2]]
    ]
    await box.control("PUT", "chaos", {"duplicate_rate": 0.2, "reorder": True, "wrong_secret_rate": 0.2})
    await box.control("PUT", "delivery", {"batch_size": 100})
    headers = {"content-type": "application/x-ndjson"}
    answer = await box.http.post("/control/comments", content=b"\n".join(lines), headers=headers)
    assert answer.json()["created"] == 600
    await box.drained()
    assert (await box.control("POST", "redeliver"))["updates"] == 600
    await box.drained()
    stats = await box.stats()
    ids = {value.get("comment_id") or value["id"] for value in box.hook.values()}
    assert ids == set(answer.json()["ids"])
    assert (stats["accepted"], stats["accepted_comments"]) == (600, 600)
    assert stats["delivered"] == len(box.hook.values()) == 1200 + stats["duplicated"] - 600
    assert stats["wrong_secret_sent"] == box.hook.refused > 0
    assert stats["wrong_secret_accepted"] == 0
    assert max(len(entry.get("changes", [])) for entry in box.hook.entries()) == 8
    assert any("field" in entry for entry in box.hook.entries())
    assert {value["created_time"] for value in box.hook.values() if "created_time" in value} == {1_700_000_000}


async def test_a_paced_bulk_takes_its_time_and_counts_as_pending(box: Any) -> None:
    await box.account()
    wanted = [{"platform": "facebook", "account": "100100", "author": {"id": "u"}, "text": str(n)} for n in range(60)]
    answer = await box.http.post("/control/comments", params={"rate": 200}, json=wanted)
    assert (answer.status_code, answer.json()) == (202, {"scheduled": 60})
    waiting = await box.control("GET", "drained")
    assert waiting["drained"] is False
    assert waiting["feeding"] > 0
    await box.drained()
    assert len(box.hook.values()) == 60


async def test_chaos_hides_authors_and_turns_the_order_around(box: Any) -> None:
    await box.account()
    await box.control("PUT", "chaos", {"from_missing_rate": 1, "remove_before_add": True})
    comment = await box.comment()
    await box.control("POST", f"comments/{comment}/delete")
    await box.drained()
    assert [value["verb"] for value in box.hook.values()] == ["remove", "add"]
    assert "from" not in box.hook.values()[1]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("comments", {"platform": "facebook", "account": "nobody", "author": {"id": "u"}, "text": "x"}, 404),
        ("comments", {"platform": "facebook", "account": "100100", "author": {"id": "u"}}, 422),
        ("comments", [{"platform": "myspace", "account": "100100", "author": {"id": "u"}, "text": "x"}], 422),
        ("comments/none/edit", {"text": "x"}, 404),
        ("chaos", {}, 404),
        ("faults", {"action": "explode"}, 422),
    ],
)
async def test_control_says_what_is_wrong(box: Any, path: str, body: object, status: int) -> None:
    await box.account()
    answer = await box.http.post(f"/control/{path}", json=body)
    assert answer.status_code == status, answer.text


async def test_control_refuses_what_is_not_json_and_other_origins(box: Any) -> None:
    assert (await box.http.post("/control/comments", content=b"{nope")).status_code == 400
    answer = await box.http.post("/control/reset", headers={"origin": "http://evil.example"})
    assert answer.status_code == 403


async def test_reset_forgets_all_but_the_accounts(box: Any) -> None:
    await box.account()
    await box.comment()
    await box.drained()
    await box.control("PUT", "chaos", {"reorder": True})
    await box.control("POST", "reset")
    stats = await box.stats()
    assert (stats["comments"], stats["accepted"], stats["created"]) == (0, 0, 0)
    assert (await box.control("GET", "chaos"))["reorder"] is False
    await box.comment("again")
    await box.drained()
    assert (await box.stats())["accepted"] == 1
