"""Every state with every change: what is possible, what is not, and that evidence tells the whole story."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher.domain.entries import changes as c
from publisher.domain.entries.campaign import By, UseKind
from publisher.domain.entries.machine import TRANSITIONS, captured, step
from publisher.domain.entries.model import Answer, Asked, CampaignEntry, Capture, EntryState, Medium, Use, attention_at
from publisher.domain.entries.rights import NotCleared, clear

S = EntryState
NOW = 1_800_000_000.0
HASH = "b" * 64

ASKED = Asked(1, By.REPLY, "request", NOW, 3, "terms", (UseKind.GALLERY,), 100.0, 40.0, 1_000.0, check_at=NOW + 60)

CHANGES: dict[str, c.EntryChange] = {
    "admit": c.Admit(),
    "admit_and_ask": c.Admit(ask=True),
    "turn_away": c.TurnAway("limit"),
    "ask": c.Ask(ASKED),
    "leave": c.LeaveToPeople("no terms"),
    "stands": c.RequestStands("request", "posted"),
    "failed": c.RequestFailed("request", "refused"),
    "failed_other": c.RequestFailed("other", "refused"),
    "look_again": c.LookAgain(10.0),
    "remind": c.Remind(),
    **{answer.value: c.Answered(answer, "object", HASH) for answer in Answer},
    "form_yes": c.FormAnswered(1, True, HASH),
    "form_no": c.FormAnswered(1, False, HASH),
    "form_old": c.FormAnswered(7, True, HASH),
    "judge_yes": c.Judge("key", True, "by letter"),
    "judge_no": c.Judge("key", False, "by letter"),
    "time_up": c.TimeUp(),
    "revoke": c.Revoke("key", "asked by mail"),
    "gone": c.Gone(),
    "fetched": c.Fetched((Medium("u", HASH, "image/png", 3),)),
    "use": c.UseIt(Use(UseKind.GALLERY, NOW, "key")),
    "use_post": c.UseIt(Use(UseKind.POST, NOW, "key", "post")),
    "post_stands": c.PostStands("post", "platform-id"),
    "post_failed": c.PostFailed("post", "refused"),
    "removing": c.Removing("post", "removal"),
}

ARROWS = {
    (S.CAPTURED, S.ELIGIBLE), (S.CAPTURED, S.INELIGIBLE), (S.ELIGIBLE, S.RIGHTS_REQUESTED), (S.ELIGIBLE, S.INELIGIBLE),
    (S.RIGHTS_REQUESTED, S.GRANTED), (S.RIGHTS_REQUESTED, S.REFUSED), (S.RIGHTS_REQUESTED, S.EXPIRED),
    (S.RIGHTS_REQUESTED, S.INELIGIBLE), (S.GRANTED, S.FEATURED), (S.GRANTED, S.EXPIRED), (S.GRANTED, S.REVOKED),
    (S.FEATURED, S.EXPIRED), (S.FEATURED, S.REVOKED), (S.EXPIRED, S.RIGHTS_REQUESTED), (S.EXPIRED, S.INELIGIBLE),
    (S.REFUSED, S.INELIGIBLE), (S.EXPIRED, S.REVOKED),
}  # fmt: skip
"""Every arrow there is."""


def entry() -> CampaignEntry:
    capture = Capture(
        entry_id="a" * 64, event_id="e", brand="b", campaign="c", campaign_version=1, platform="facebook", account="p",
        channel="main", object="o", parent="", root="", author="u", handle="u", event_kind="comment", language="en", text="t",
        media=(), hashtags=(), friends=(), trigger="hashtag", eligible=True, reason="", detail="", event_time=NOW,
        received_time=NOW,
    )  # fmt: skip
    return captured(capture, NOW)


def after(*names: str, at: float = NOW) -> CampaignEntry:
    found = entry()
    for name in names:
        moved = step(found, CHANGES[name], at)
        assert moved is not None, (name, found.state)
        found = moved
    return found


WAYS: dict[EntryState, tuple[str, ...]] = {
    S.CAPTURED: (),
    S.ELIGIBLE: ("admit",),
    S.INELIGIBLE: ("turn_away",),
    S.RIGHTS_REQUESTED: ("admit", "ask", "stands"),
    S.GRANTED: ("admit", "ask", "stands", "granted"),
    S.REFUSED: ("admit", "ask", "stands", "refused"),
    S.EXPIRED: ("admit", "ask", "failed"),
    S.REVOKED: ("admit", "ask", "stands", "granted", "revoke"),
    S.FEATURED: ("admit", "ask", "stands", "granted", "use"),
}


@pytest.mark.parametrize("state", S)
@pytest.mark.parametrize("name", CHANGES)
def test_every_state_with_every_change(state: EntryState, name: str) -> None:
    before = after(*WAYS[state])
    assert before.state is state
    moved = step(before, CHANGES[name], NOW + 5_000)
    if (state, type(CHANGES[name])) not in TRANSITIONS:
        assert moved is None
    if moved is None:
        return
    assert moved.standing.revision == before.standing.revision + 1
    assert moved.evidence[: len(before.evidence)] == before.evidence, "evidence is only ever added"
    if moved.state is not state:
        assert (state, moved.state) in ARROWS
        assert len(moved.evidence) == len(before.evidence) + 1
        assert (moved.evidence[-1].sequence, moved.evidence[-1].state) == (before.sequence + 1, moved.state)
    else:
        assert moved.sequence == before.sequence


@given(st.lists(st.tuples(st.sampled_from(sorted(CHANGES)), st.floats(0, 2_000)), max_size=25))
def test_no_story_clears_media_without_a_yes(story: list[tuple[str, float]]) -> None:
    """Whatever happens in whatever order: cleared now means that the last word about the rights was a yes, and is in time."""
    found, now = entry(), NOW
    for name, later in story:
        now += later
        found = step(found, CHANGES[name], now) or found
        rights = [line for line in found.evidence if line.state in {S.GRANTED, S.REFUSED, S.REVOKED, S.EXPIRED, S.INELIGIBLE}]
        if not isinstance(clear(found, UseKind.GALLERY, now), NotCleared):
            assert rights[-1].state is S.GRANTED
            assert rights[-1].at + ASKED.granted_seconds > now
            assert rights[-1].text_sha256 == HASH or rights[-1].actor == "key"
        assert isinstance(clear(found, UseKind.POST, now), NotCleared), "the terms never allowed posts"
        sequences = [line.sequence for line in found.evidence if line.sequence]
        assert sequences == list(range(1, len(sequences) + 1))


def test_the_window_of_an_answer_begins_when_the_request_stands() -> None:
    waiting = after("admit", "fetched", "ask")
    assert step(waiting, CHANGES["time_up"], NOW + 1e6) is None
    standing = step(waiting, CHANGES["stands"], NOW + 50)
    assert standing is not None
    assert attention_at(standing.standing) == NOW + 90  # the reminder
    reminded = step(standing, CHANGES["remind"], NOW + 90)
    assert reminded is not None
    assert attention_at(reminded.standing) == NOW + 150
    assert step(reminded, CHANGES["time_up"], NOW + 149) is None
    over = step(reminded, CHANGES["time_up"], NOW + 150)
    assert over is not None
    assert (over.state, over.evidence[-1].reason) == (S.EXPIRED, "no_answer")


def test_granted_rights_end_at_their_moment() -> None:
    granted = after(*WAYS[S.GRANTED])
    assert granted.standing.granted_until == NOW + 1_000
    assert step(granted, CHANGES["time_up"], NOW + 999.9) is None
    over = step(granted, CHANGES["time_up"], NOW + 1_000)
    assert over is not None
    assert (over.state, over.evidence[-1].reason) == (S.EXPIRED, "window_over")
    endless = replace(ASKED, granted_seconds=0.0)
    forever = step(step(after("admit"), c.Ask(endless), NOW), CHANGES["granted"], NOW)  # type: ignore[arg-type]
    assert forever is not None
    assert forever.standing.granted_until is None


def test_an_unclear_answer_waits_and_a_person_decides() -> None:
    waiting = after("admit", "ask", "stands", "unclear")
    assert (waiting.state, waiting.standing.waiting) == (S.RIGHTS_REQUESTED, "object")
    judged = step(waiting, CHANGES["judge_yes"], NOW)
    assert judged is not None
    line: Any = judged.evidence[-1]
    assert (line.actor, line.object, line.detail, line.terms_version) == ("key", "object", "by letter", 3)
    assert judged.standing.waiting == ""
