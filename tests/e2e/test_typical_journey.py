"""A comment in, a reply out, and everything people can ask about it afterwards."""

import httpx
import pytest

pytestmark = pytest.mark.e2e


def test_a_price_question_is_answered_once_and_the_echo_is_left_alone(stage, wait) -> None:
    asked = stage.comment("How much is a seat to Rome?", author="anna")
    wait(lambda: stage.replies(asked) == 1, 20)
    tally = stage.settled()
    assert stage.replies(asked) == 1
    assert tally.outcomes["not_eligible:own_account"] >= 1
    assert tally.fates()["posted"] >= 1


def test_redelivered_reordered_and_batched_twice_it_is_still_answered_once(stage, wait) -> None:
    stage.simulator.put(
        "/control/chaos", json={"duplicate_rate": 0.5, "reorder": True, "duplicate_check": False}
    ).raise_for_status()
    asked = [
        stage.comment(f"price for {n} people?", author=f"group-{n}", platform=p)
        for n in range(10)
        for p in ("facebook", "instagram")
    ]
    wait(lambda: all(stage.replies(one) for one in asked), 30)
    stage.simulator.post("/control/redeliver").raise_for_status()
    stage.simulator.put("/control/chaos", json={"duplicate_check": False}).raise_for_status()
    tally = stage.settled()
    assert tally.duplicates > 0
    assert tally.contradictions == 0
    assert [stage.replies(one) for one in asked] == [1] * len(asked)
    assert stage.stats()["comments_answered_twice"] == 0


def test_one_rule_can_answer_in_public_and_in_private_and_tag(stage, wait) -> None:
    asked = stage.comment("my flight was cancelled!!", author="carl", platform="instagram")
    wait(lambda: stage.replies(asked) == 1 and stage.stats()["private_replies_by_comment"].get(asked) == 1, 20)
    assert stage.settled().fates()["open"] == 0


def test_advertising_is_hidden(stage, wait) -> None:
    hidden = stage.stats()["hidden"]
    stage.comment("Earn money fast, click my profile", author="bot")
    wait(lambda: stage.stats()["hidden"] == hidden + 1, 20)
    assert stage.stats()["hidden"] == hidden + 1


def test_a_new_rule_and_its_next_version_are_live_at_once(stage, wait, brand) -> None:
    rule = {
        "id": "pets",
        "name": "Pets",
        "state": "active",
        "priority": 5,
        "where": {"kinds": ["comment"]},
        "when": {"text": {"any": ["hamster"], "as": "words"}},
        "then": [{"reply": {"text": {"default": ["Hamsters fly free."]}}}],
    }
    assert stage.api.call("POST", f"/v1/brands/{brand}/rules", rule)["live"] is True
    asked = stage.comment("may I bring my hamster?", author="henry")
    wait(lambda: stage.replies(asked) == 1, 20)
    rule["then"] = [{"reply": {"text": {"default": ["Hamsters fly for 5 €."]}}}]
    stage.api.call("PUT", f"/v1/brands/{brand}/rules/pets", rule, If_Match="*")
    again = stage.comment("and two hamster friends? one hamster each", author="ida")
    wait(lambda: stage.replies(again) == 1, 20)
    assert stage.answer(asked) == "Hamsters fly free."
    assert stage.answer(again) == "Hamsters fly for 5 €."


def test_the_kill_switch_holds_what_is_on_its_way_and_resume_releases_nothing_stale(stage, wait, brand) -> None:
    stage.api.call("POST", f"/v1/brands/{brand}/hold", {"reason": "a crisis"}, If_Match="*")
    held = stage.comment("what is the price today?", author="held-1")
    wait(lambda: stage.tally().undecided() == 0 and not stage.stats()["pending"], 20)
    assert stage.replies(held) == 0
    stage.api.call("POST", f"/v1/brands/{brand}/resume", {"reason": "over"}, If_Match="*")
    asked = stage.comment("what is the price now?", author="held-2")
    wait(lambda: stage.replies(asked) == 1, 20)
    assert stage.replies(held) == 0
    wait(lambda: "price held (a crisis)" in explained(stage, held), 20, lambda: explained(stage, held))
    wait(lambda: " posted " in explained(stage, asked), 20, lambda: explained(stage, asked))


def explained(stage, comment: str) -> str:
    """Return what the command tells of a comment; it ends with 2 until the archive has the decision."""
    return str(stage.command("explain", comment, ends=(0, 2)))


def test_an_approval_waits_for_a_person_and_is_then_posted(stage, wait, brand) -> None:
    asked = stage.comment("I am a journalist with a question", author="press")
    waiting = f"/v1/deliveries?brand={brand}&state=waiting_approval"
    wait(lambda: any(one["target"] == asked for one in items(stage.api.call("GET", waiting))), 20)
    assert stage.replies(asked) == 0
    action = next(one["action_id"] for one in items(stage.api.call("GET", waiting)) if one["target"] == asked)
    listed = stage.command("outbox", "list")
    assert (action in listed, asked in listed, "waiting_approval" in listed) == (True, True, True), listed
    assert "no_such" in stage.command("outbox", "approve", "no_such", ends=(2,))
    assert f"{action} new " in stage.command("outbox", "approve", action, "--text", "Please write to press@acme.example.")
    wait(lambda: stage.replies(asked) == 1, 20)
    assert stage.replies(asked) == 1
    assert stage.answer(asked) == "Please write to press@acme.example."
    assert "not possible" in stage.command("outbox", "reject", action, ends=(2,)), "it is public"


def items(page: dict) -> list[dict]:
    return page["items"]


def test_what_comes_over_a_campaigns_link_is_the_campaigns(stage, wait, brand) -> None:
    when = {"start": "2026-06-01T00:00:00", "timezone": "Europe/Berlin"}
    campaign = {"id": "summer", "name": "Summer", "hashtags": ["summerfly"], **when}
    stage.api.call("PUT", f"/v1/brands/{brand}/campaigns/summer", campaign, If_None_Match="*")
    link = {"url": "https://acme.example/summer?click={click}", "campaign": "summer"}
    stage.api.call("PUT", f"/v1/brands/{brand}/links/fly", link, If_None_Match="*")
    answer = {"reply": {"text": {"default": ["Over there: {{link.fly}}"]}}}
    rule = {"id": "fly", "name": "Fly", "state": "active", "priority": 5, "where": {"kinds": ["comment"]}, "then": [answer]}
    stage.api.call("POST", f"/v1/brands/{brand}/rules", {**rule, "when": {"text": {"any": ["summerfly"], "as": "words"}}})
    asked = stage.comment("where is summerfly?", author="jana")
    wait(lambda: stage.replies(asked) == 1, 20)
    address = stage.answer(asked).removeprefix("Over there: ")

    browser = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    redirect = httpx.get(address, headers=browser, trust_env=False)
    assert redirect.status_code == 302, redirect.text
    order = {"brand": brand, "value": 49.0, "currency": "EUR"}
    by_click = {**order, "reference": "order-1", "click": redirect.headers["location"].partition("=")[2]}
    by_code = {**order, "reference": "order-2", "code": address.rpartition("/")[2]}
    stage.api.call("POST", "/v1/conversions", [by_click, by_code])

    def measured() -> list[tuple]:
        report = stage.api.call("GET", f"/v1/reports/campaigns?brand={brand}")["total"]
        return [(one["campaign"], one["clicks"], one["last_touch"]["conversions"]) for one in report["campaigns"]]

    wait(lambda: measured() == [("summer", 1, 2.0)], 30, lambda: str(measured()))


def test_the_report_says_the_same_as_the_topics(stage, wait, brand) -> None:
    tally = stage.settled()

    def report() -> dict:
        return stage.api.call("GET", f"/v1/reports/summary?brand={brand}")

    wait(lambda: report()["decisions"]["total"] == len(tally.decisions), 30, lambda: str(report()))
    assert report()["lost"] == 0
    assert report()["events"]["total"] == len(tally.events)
