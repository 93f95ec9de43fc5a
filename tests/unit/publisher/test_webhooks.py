"""Notifications: how they are signed, what an answer means, and their own way past the posts."""

import base64
import hmac
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from publisher.adapters.headers import http_date, retry_after
from publisher.domain import webhooks
from publisher.domain.admission import BrandPolicy
from publisher.domain.calls import Answer, Denied, Done, Outcome, Untouched
from publisher.domain.model import Decided, Kind, Mode, Reason, State
from publisher.service.lanes import lane_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://crm.example/hook"


def test_the_signature_is_the_one_of_the_specification() -> None:
    made = webhooks.signatures([SECRET], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_valid_secret_signs() -> None:
    other = webhooks.secret_of(bytes(range(32)))
    one, two = webhooks.signatures([SECRET, other], "id", 1, "ü".encode()).split(" ")
    assert one == webhooks.signatures([SECRET], "id", 1, "ü".encode())
    digest = hmac.digest(bytes(range(32)), "id.1.ü".encode(), "sha256")
    assert two == "v1," + base64.b64encode(digest).decode()


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_" + base64.b64encode(bytes(23)).decode(), "whsec_ä" * 9,
     "whsec_" + base64.b64encode(bytes(65)).decode(), SECRET + "\n", SECRET + " x", "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
)  # fmt: skip
def test_what_is_no_secret_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError) as error:
        webhooks.key_of(secret)
    assert len(secret) < 10 or secret not in str(error.value)


def test_a_secret_may_lack_its_padding() -> None:
    assert webhooks.key_of(webhooks.secret_of(bytes(32)).rstrip("=")) == bytes(32)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Done("")),
        (204, Done("")),
        (299, Done("")),
        (301, Denied(Reason.INVALID, "the receiver answered 301; redirects are not followed")),
        (304, Denied(Reason.INVALID, "the receiver answered 304; redirects are not followed")),
        (400, Denied(Reason.INVALID, "the receiver answered 400")),
        (401, Denied(Reason.PERMISSION, "the receiver answered 401")),
        (404, Denied(Reason.INVALID, "the receiver answered 404")),
        (410, Denied(Reason.TARGET_GONE, "the receiver answered 410")),
        (429, Untouched("the receiver answered 429", 7.0)),
        (500, Untouched("the receiver answered 500", 7.0)),
        (503, Untouched("the receiver answered 503", 7.0)),
    ],
)
def test_what_a_status_means(status: int, outcome: Outcome) -> None:
    assert webhooks.verdict(status, 7.0) == outcome


def test_waits_grow_and_end_with_the_longest() -> None:
    waits = [webhooks.wait(attempts) for attempts in range(12)]
    assert waits[0] == waits[1] == webhooks.WAITS[0]
    assert waits == sorted(waits)
    assert waits[-1] == webhooks.WAITS[-1]


def test_both_forms_of_retry_after() -> None:
    now = http_date("Wed, 21 Oct 2026 07:28:00 GMT")
    assert now is not None
    assert retry_after("120", now) == 120.0
    assert retry_after("Wed, 21 Oct 2026 07:30:00 GMT", now) == 120.0
    assert retry_after("Wed, 21 Oct 2026 07:00:00 GMT", now) == 0.0
    assert retry_after("Wed, 21 Oct 2026 07:30:00 GMT", None) is None
    for text in ("", "soon", "-1", "1.5", "९", "9" * 400, "99999999999 Oct"):
        assert retry_after(text, now) is None, text


def notice(house: Any, name: str, url: str = URL, target: str = "", **more: Any) -> Decided:
    """A decision with a notification; its body stands where an answer's text does."""
    values = {"action_id": "a-" + name, "kind": Kind.NOTIFY, "url": url, "secret_ref": "crm", "rule_id": name, **more}
    found: Decided = house.decided(target or name, **values)
    return replace(found, actions=((found.actions[0][0], '{"type":"rule.matched"}'),))


def with_secret(house: Any) -> Any:
    house.secrets.secrets["b", "crm"] = [SecretStr(SECRET), SecretStr("whsec_old")]
    return house


async def test_a_notification_goes_to_its_receiver_and_needs_no_channel(house: Any) -> None:
    await with_secret(house).intake.take([notice(house, "n1", channel="none", event_id="e-n1")])
    await house.reaches("n1", State.POSTED)
    ((channel, deed),) = house.receiver.deeds
    assert channel.credential.get_secret_value() == f"{SECRET} whsec_old"
    assert (deed.target, deed.text, deed.action_id) == (URL, '{"type":"rule.matched"}', "a-n1")
    assert house.platform.calls == []


async def test_several_rules_may_tell_of_one_comment(house: Any) -> None:
    with_secret(house)
    await house.intake.take([notice(house, name, target="comment") for name in ("r1", "r2", "r3")])
    for name in ("r1", "r2", "r3"):
        await house.reaches(name, State.POSTED)
    assert len(house.receiver.calls) == 3


async def test_without_its_secret_it_fails_and_says_so(house: Any) -> None:
    await house.intake.take([notice(house, "n2")])
    await house.reaches("n2", State.FAILED, Reason.NO_SECRET)
    assert "'crm'" in house.ledger.entries["a-n2"].position.detail
    assert house.receiver.calls == []


async def test_a_slow_receiver_delays_no_post_and_no_other_receiver(house: Any) -> None:
    with_secret(house).receiver.slow["webhook:slow.example"] = 30.0
    await house.intake.take([notice(house, f"s{n}", "https://slow.example/x") for n in range(20)])
    await house.intake.take([notice(house, f"q{n}", "https://quick.example/x") for n in range(5)])
    await house.decide(*(f"p{n}" for n in range(5)))
    for name in [f"{kind}{n}" for kind in "qp" for n in range(5)]:
        await house.reaches(name, State.POSTED)
    assert house.receiver.most_at_once["webhook:slow.example"] == 4, "calls in flight are bounded"
    for task in house.lanes._tasks:
        task.cancel()


async def test_what_got_no_receipt_is_sent_again_and_in_the_end_fails(make_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "WAITS", (0.01,))
    house = with_secret(make_house(make_house.new_ledger(), max_attempts=3))
    house.receiver.answers[URL] = [Untouched("the receiver answered 500") for _ in range(2)]
    async with house.running():
        await house.intake.take([notice(house, "n3")])
        await house.reaches("n3", State.POSTED)
        assert {deed.action_id for _, deed in house.receiver.deeds} == {"a-n3"}
        assert len(house.receiver.calls) == 3
        house.receiver.answers[URL] = [Untouched("no answer") for _ in range(3)]
        await house.intake.take([notice(house, "n4")])
        await house.reaches("n4", State.FAILED, Reason.RETRIES_EXHAUSTED)


async def test_a_receiver_that_is_gone_is_not_asked_again(house: Any) -> None:
    with_secret(house).receiver.answers[URL] = [Denied(Reason.TARGET_GONE, "the receiver answered 410")]
    await house.intake.take([notice(house, "n5")])
    await house.reaches("n5", State.FAILED, Reason.TARGET_GONE)
    assert len(house.receiver.calls) == 1


async def test_a_busy_receiver_is_left_alone(house: Any) -> None:
    with_secret(house).receiver.answers[URL] = [Answer(Untouched("the receiver answered 429", 300.0), 300.0)]
    await house.intake.take([notice(house, "n6")])
    await house.until(lambda: "b/webhook:crm.example" in house.tokens.pauses)
    at = house.ledger.entries["a-n6"].position
    assert (at.state, at.attempts) == (State.NEW, 1)
    assert at.next_at > house.now() + 250
    del house.tokens.pauses["b/webhook:crm.example"]


async def test_a_hold_lets_notifications_through_and_a_shadow_does_not(house: Any) -> None:
    with_secret(house).policies.now = BrandPolicy(held=True)
    await house.intake.take([notice(house, "n7")])
    await house.reaches("n7", State.POSTED)
    house.policies.now = BrandPolicy()
    await house.intake.take([notice(house, "n8", mode=Mode.SHADOW)])
    house.policies.now = BrandPolicy(mode=Mode.SHADOW)
    await house.intake.take([notice(house, "n9")])
    assert house.state("n8")[0] is house.state("n9")[0] is State.SHADOWED
    assert len(house.receiver.calls) == 1


async def test_a_notification_whose_sender_died_is_sent_again(make_house: Any) -> None:
    ledger = make_house.new_ledger()
    first, second = (with_secret(make_house(ledger, lease=0.6)) for _ in range(2))
    first.receiver.slow["webhook:crm.example"] = 60.0
    async with first.running():
        await first.intake.take([notice(first, "n10")])
        await first.until(lambda: first.receiver.calls)
        for task in first.lanes._tasks:
            task.cancel()
    async with second.running():
        await second.reaches("n10", State.POSTED)
    assert [deed.action_id for _, deed in second.receiver.deeds] == ["a-n10"]


@pytest.mark.parametrize("url", ["", "https://", "no url", "https://[::1", "https://A.example:8443/x"])
def test_no_url_breaks_the_lanes(house: Any, url: str) -> None:
    ((order, _),) = notice(house, "x", url).actions
    assert lane_of(order)[2].startswith("webhook:")
