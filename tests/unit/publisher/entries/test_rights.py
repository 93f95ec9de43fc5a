"""Asking for rights and hearing the answers: once, by the author, in the thread; unclear waits; time ends; a no stays a no."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from publisher.domain.changes import Claim, Fail, Refused
from publisher.domain.entries.campaign import By
from publisher.domain.entries.changes import Judge
from publisher.domain.entries.links import Invitation, invitation_of, link_key, token_of
from publisher.domain.entries.rights import Saying
from publisher.domain.model import Kind, Mode, Reason, State
from publisher.entry_ports import EntryFilter
from publisher.service.entries.asking import CannotAsk
from publisher.service.entries.desk import NotNow, Posting

DAY = 86_400.0


async def test_an_eligible_entry_is_asked_once_in_its_language(stage: Any) -> None:
    stage.campaigns.words = "Automatic answer."
    entry = await stage.enter("first", language="de-AT")
    (request,) = stage.requests()
    assert request.order.action_id == entry.standing.asked.action_id
    assert (request.order.kind, request.order.target, request.order.campaign) == (Kind.REPLY, "o-first", "summer")
    assert request.position.text == "Dürfen wir? #yesacme\nAutomatic answer."
    assert entry.standing.asked.terms == "Acme darf das Bild zeigen."
    await stage.enter("first", language="de-AT")
    await stage.sweep.once()
    assert stage.requests() == [request]


async def test_the_request_is_a_reply_and_takes_the_replys_place(stage: Any) -> None:
    entry = await stage.enter("first")
    other = await stage.enter("second", object="o-other")
    assert entry.standing.asked.action_id != other.standing.asked.action_id
    taken = stage.order(entry.standing.asked.action_id)
    rival = replace(taken, order=replace(taken.order, action_id="a-rule", rule_id="r"))
    assert list((await stage.ledger.insert([rival], 0)).taken) == [rival]


async def test_a_comment_that_was_answered_already_is_left_to_people(stage: Any) -> None:
    model = await stage.enter("model")
    placed = stage.order(model.standing.asked.action_id)
    rule = replace(placed, order=replace(placed.order, action_id="a-rule", rule_id="r", target="o-first"))
    await stage.ledger.insert([rule], 0)
    entry = await stage.enter("first")
    assert (entry.state, entry.evidence[-1].reason, entry.evidence[-1].detail) == ("expired", "not_sent", "target_taken")
    asked = await stage.desk.request(entry, By.PRIVATE_REPLY, "key")
    assert asked.state == "rights_requested"
    assert stage.order(asked.standing.asked.action_id).order.kind is Kind.PRIVATE_REPLY


async def test_people_choose_where_the_campaign_does_not_ask_by_itself(stage: Any) -> None:
    stage.campaigns.terms(automatic=False)
    entry = await stage.enter("first")
    assert (entry.state, stage.requests()) == ("eligible", [])
    asked = await stage.desk.request(entry, None, "key-1")
    assert (asked.state, asked.evidence[-1].actor) == ("rights_requested", "key-1")
    with pytest.raises(CannotAsk, match="rights_requested"):
        await stage.desk.request(asked, None, "key-1")
    await stage.enter("second")
    await stage.want("second")
    assert stage.state("second") == "rights_requested"


async def test_the_campaigns_mode_is_the_requests(stage: Any) -> None:
    stage.campaigns.change(mode=Mode.APPROVAL)
    entry = await stage.enter("first")
    assert stage.order(entry.standing.asked.action_id).position.state is State.WAITING_APPROVAL
    stage.campaigns.change(mode=Mode.SHADOW)
    shadow = await stage.enter("second")
    assert (shadow.state, shadow.evidence[-1].reason) == ("expired", "not_sent")


async def test_a_yes_of_the_author_in_the_thread_grants(stage: Any) -> None:
    entry = await stage.asked("first")
    await stage.say("first", "granted")
    line = stage.entry("first").evidence[-1]
    assert (line.state, line.object, line.text_sha256, line.terms_version) == ("granted", "answer-to-first", "a" * 64, 3)
    assert stage.entry("first").standing.granted_until == stage.now + 365 * DAY
    assert entry.standing.asked.posted_as


@pytest.mark.parametrize(
    "saying",
    [
        Saying("facebook", "somebody-else", "reply", "x", "o-first", "post"),
        Saying("instagram", "u1", "reply", "x", "o-first", "post"),
        Saying("facebook", "u1", "reply", "x", "another-comment", "post"),
        Saying("facebook", "u1", "message", "x", "", ""),  # the request stood in public
        Saying("facebook", "", "reply", "x", "o-first", "post"),
    ],
)
async def test_words_of_others_or_elsewhere_grant_nothing(stage: Any, saying: Saying) -> None:
    await stage.asked("first", parent="")
    await stage.say("first", "granted", saying=saying)
    assert stage.state("first") == "rights_requested"


async def test_a_yes_that_nobody_asked_for_grants_nothing(stage: Any) -> None:
    stage.campaigns.terms(automatic=False)
    await stage.enter("first")
    await stage.say("first", "granted")
    assert stage.state("first") == "eligible"


async def test_an_unclear_answer_waits_for_a_person(stage: Any) -> None:
    entry = await stage.asked("first")
    await stage.say("first", "unclear")
    entry = stage.entry("first")
    assert (entry.state, entry.standing.waiting) == ("rights_requested", "answer-to-first")
    page = await stage.desk.browse("b", "summer", EntryFilter(waiting=True), "", 10)
    assert [one.entry_id for one in page.entries] == [entry.entry_id]
    judged = await stage.desk.judge(entry, Judge("key", granted=False, reason="she asks for money"))
    assert (judged.state, judged.evidence[-1].object) == ("refused", "answer-to-first")
    with pytest.raises(NotNow):
        await stage.desk.judge(judged, Judge("key", granted=True, reason="changed my mind"))


async def test_one_yes_to_two_questions_is_unclear(stage: Any) -> None:
    stage.campaigns.terms(by=By.PRIVATE_REPLY)
    await stage.asked("first")
    await stage.asked("second")
    private = Saying("facebook", "u1", "message", "m1", "", "conversation")
    await stage.say("first", "granted", saying=private)
    assert {stage.state(name) for name in ("first", "second")} == {"rights_requested"}
    assert {stage.entry(name).standing.waiting for name in ("first", "second")} == {"m1"}
    await stage.say("first", "refused")  # in the thread of the first: clear again
    assert (stage.state("first"), stage.state("second")) == ("refused", "rights_requested")


async def test_a_no_is_never_asked_again(stage: Any) -> None:
    await stage.asked("first")
    await stage.say("first", "refused")
    with pytest.raises(CannotAsk, match="refused"):
        await stage.desk.request(stage.entry("first"), None, "key")


async def test_no_answer_is_reminded_of_once_and_then_expires(stage: Any) -> None:
    entry = await stage.asked("first")
    stage.clock.advance(2 * DAY)
    await stage.sweep.once()
    await stage.sweep.once()
    reminders = [one for one in stage.requests() if one.order.target == entry.standing.asked.posted_as]
    assert [one.position.text for one in reminders] == ["Still: may we?"]
    assert reminders[0].order.thread == "o-first"
    stage.clock.advance(5 * DAY)
    await stage.sweep.once()
    assert (stage.state("first"), stage.entry("first").evidence[-1].reason) == ("expired", "no_answer")
    await stage.say("first", "granted")
    assert stage.state("first") == "expired"
    again = await stage.desk.request(stage.entry("first"), By.PRIVATE_REPLY, "key")
    assert (again.state, again.standing.asked.attempt) == ("rights_requested", 2)


async def test_a_request_that_failed_says_why_and_may_be_repeated(stage: Any) -> None:
    entry = await stage.enter("first")
    await stage.send(entry.standing.asked.action_id, Claim("w"), Refused(1, Reason.PERMISSION, "not allowed"))
    failed = stage.entry("first")
    assert (failed.state, failed.evidence[-1].detail) == ("expired", "permission")
    again = await stage.desk.request(failed, None, "key")
    assert stage.order(again.standing.asked.action_id).position.state is State.NEW


async def test_a_report_that_was_missed_is_looked_up(stage: Any) -> None:
    entry = await stage.enter("first")
    name = entry.standing.asked.action_id
    reports, stage.taking.take = stage.taking.take, _nothing
    await stage.send(name)
    stage.taking.take = reports
    assert stage.entry("first").standing.asked.answer_by is None
    stage.clock.advance(61)
    await stage.sweep.once()  # media
    await stage.sweep.once()
    assert stage.entry("first").standing.asked.answer_by == stage.now + 7 * DAY


async def _nothing(_batch: Any) -> None:
    return None


async def test_a_crash_between_the_request_and_its_order_is_made_good(stage: Any) -> None:
    place, stage.ledger.insert = stage.ledger.insert, _crash
    with pytest.raises(RuntimeError):
        await stage.enter("first")
    stage.ledger.insert = place
    assert (stage.state("first"), stage.requests()) == ("rights_requested", [])
    stage.build()
    stage.clock.advance(61)
    await stage.sweep.once()
    await stage.sweep.once()
    assert len(stage.requests()) == 1


async def _crash(*_: Any) -> None:
    raise RuntimeError


async def test_withdrawn_words_revoke_and_remove_the_post(stage: Any) -> None:
    entry = await stage.granted("first")
    entry = await stage.desk.show(entry, "key")
    entry = await stage.desk.post(entry, Posting("Look!", "key"))
    post = entry.standing.uses[1].action_id
    await stage.send(post)
    await stage.say("first", "withdrawn")
    revoked = stage.entry("first")
    assert (revoked.state, revoked.evidence[-1].reason) == ("revoked", "withdrawn")
    assert [use.use for use in revoked.standing.uses] == ["gallery", "post"]
    removal = stage.order(revoked.standing.uses[1].removal)
    assert (removal.order.kind, removal.order.target) == (Kind.DELETE, f"posted-{post[:8]}")
    assert (removal.position.state, removal.position.actor) == (State.NEW, "rights")
    await stage.say("first", "granted")
    assert stage.state("first") == "revoked"


async def test_a_post_that_lands_after_the_revocation_is_removed_too(stage: Any) -> None:
    entry = await stage.granted("first")
    entry = await stage.desk.post(entry, Posting("Look!", "key"))
    entry = await stage.desk.revoke(entry, "key", "asked by mail")
    assert [one for one in stage.ledger.entries.values() if one.order.kind is Kind.DELETE] == []
    await stage.send(entry.standing.uses[0].action_id)
    removals = [one for one in stage.ledger.entries.values() if one.order.kind is Kind.DELETE]
    assert len(removals) == 1
    await stage.desk.revoke(stage.entry("first"), "key", "again")
    assert len([one for one in stage.ledger.entries.values() if one.order.kind is Kind.DELETE]) == 1


async def test_a_post_that_outlived_its_rights_can_be_ended(stage: Any) -> None:
    entry = await stage.granted("first")
    entry = await stage.desk.post(entry, Posting("Look!", "key"))
    await stage.send(entry.standing.uses[0].action_id)
    stage.clock.advance(365 * DAY)
    await stage.sweep.once()
    assert stage.state("first") == "expired"
    ended = await stage.desk.revoke(stage.entry("first"), "key", "asked by mail")
    assert (ended.state, stage.order(ended.standing.uses[0].removal).order.kind) == ("revoked", Kind.DELETE)
    await stage.enter("second")
    await stage.say("second", "refused")
    with pytest.raises(NotNow):
        await stage.desk.revoke(stage.entry("second"), "key", "asked by mail")


async def test_a_post_is_ordered_once_and_again_only_if_it_failed(stage: Any) -> None:
    entry = await stage.granted("first")
    once = await stage.desk.post(entry, Posting("Look!", "key"))
    twice = await stage.desk.post(once, Posting("Look!", "key"))
    assert once == twice
    assert stage.state("first") == "granted"
    name = once.standing.uses[0].action_id
    at = stage.order(name).position
    assert (at.state, at.actor, at.approved) == (State.NEW, "key", True)
    await stage.send(name, Fail(Reason.UNSUPPORTED, "no"))
    assert stage.entry("first").standing.uses == ()
    again = await stage.desk.post(stage.entry("first"), Posting("Look!", "key"))
    assert again.standing.uses[0].action_id != name
    await stage.send(again.standing.uses[0].action_id)
    assert stage.state("first") == "featured"


async def test_a_form_is_answered_by_who_holds_its_link(stage: Any) -> None:
    stage.campaigns.terms(by=By.FORM)
    entry = await stage.asked("first")
    order = stage.order(entry.standing.asked.action_id)
    link = stage.inviting.link(entry)
    assert (order.order.kind, link in order.position.text) == (Kind.PRIVATE_REPLY, True)
    invitation = stage.inviting.read(link.rpartition("/")[2])
    found = await stage.desk.invited(invitation)
    digest = hashlib.sha256(entry.standing.asked.terms.encode()).hexdigest()
    assert await stage.desk.answer_form(found, invitation, digest, granted=True)
    assert not await stage.desk.answer_form(found, invitation, digest, granted=True)
    line = stage.entry("first").evidence[-1]
    assert (line.state, line.reason, line.text_sha256) == ("granted", "form", digest)
    assert await stage.desk.answer_form(stage.entry("first"), invitation, digest, granted=False)
    assert stage.state("first") == "revoked"


async def test_where_no_platform_carries_a_form_people_hand_its_link_over(stage: Any) -> None:
    stage.campaigns.terms(by=By.FORM)
    entry = await stage.enter("first", platform="web", event_kind="submission")
    assert (entry.state, entry.standing.asked.action_id) == ("rights_requested", "")
    assert entry.standing.asked.answer_by == stage.now + 7 * DAY
    assert stage.inviting.link(entry).startswith("https://antiphon.example/c/")


def test_a_link_is_good_for_its_entry_its_request_and_its_time_alone() -> None:
    key, other = link_key(b"k" * 32), link_key(b"o" * 32)
    invitation = Invitation("ab" * 32, 1, 1_000)
    token = token_of(invitation, key)
    assert invitation_of(token, [other, key], 999.9) == invitation
    assert invitation_of(token, [key], 1_000) is None
    assert invitation_of(token, [other], 0) is None
    assert invitation_of(token_of(Invitation("ab" * 32, 2, 1_000), other), [key], 0) is None
    for place in range(len(token) - 1):
        forged = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        assert invitation_of(forged, [key], 0) is None, place
    for garbage in ("", "a", token[:-2], token + "AAAA", "ä" * 20, "=" * 40):
        assert invitation_of(garbage, [key], 0) is None
