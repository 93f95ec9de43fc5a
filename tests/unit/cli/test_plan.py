"""What a push does, and what it leaves alone, for every way in which files and brand can stand."""

from typing import Any

import pytest

from antiphon_cli.meaning import digest
from antiphon_cli.plan import Remote, Status, Verb, differences, plan, status_of


def rule(state: str = "draft", **more: Any) -> dict[str, Any]:
    """Return a rule as a file says it."""
    return {"id": "a", "state": state, "then": [{"tag": ["x"]}], **more}


def remote(state: str = "draft", **more: Any) -> Remote:
    """Return a rule as the API has it."""
    return Remote(rule(state, **more), 3, state)


@pytest.mark.parametrize(
    ("met", "here", "there", "status"),
    [
        (None, "a", "a", Status.SAME),
        (("a", "a"), "a", "a", Status.SAME),
        (("a", "b"), "a", "b", Status.SAME),
        (("a", "a"), "b", "a", Status.HERE),
        (("a", "a"), "a", "b", Status.THERE),
        (("a", "a"), "b", "c", Status.BOTH),
        (("a", "a"), "b", "b", Status.SAME),
        (None, "a", "", Status.HERE),
        (None, "", "a", Status.THERE),
        (None, "a", "b", Status.BOTH),
        (("a", "a"), "", "a", Status.HERE),
        (("a", "a"), "a", "", Status.THERE),
        (("a", "a"), "", "b", Status.BOTH),
        (("a", "a"), "", "", Status.SAME),
    ],
)
def test_who_has_changed(met: tuple[str, str] | None, here: str, there: str, status: Status) -> None:
    assert status_of(met, here, there) is status


@pytest.mark.parametrize(
    ("here", "there", "verb"),
    [
        (rule("active"), None, Verb.CREATE),
        (rule("active"), remote("draft"), Verb.ACTIVATE),
        (rule("paused"), remote("active"), Verb.PAUSE),
        (rule("paused"), remote("draft"), Verb.SAVE),
        (rule("archived"), remote("active"), Verb.ARCHIVE),
        (rule("active", priority=1), remote("active"), Verb.SAVE),
        (rule("paused", priority=1), remote("active"), Verb.SAVE),
        (rule("draft"), remote("active"), Verb.SAVE),
    ],
)
def test_a_rule_takes_the_shortest_way(here: dict[str, Any], there: Remote | None, verb: Verb) -> None:
    found = differences({"rules/a": here}, {"rules/a": there} if there else {}, _met({"rules/a": there}))
    steps = plan(found).steps
    assert [step.verb for step in steps] == [verb]


def test_a_draft_over_a_rule_that_acts_says_that_it_goes_on_acting() -> None:
    there = remote("active")
    steps = plan(differences({"rules/a": rule("draft")}, {"rules/a": there}, _met({"rules/a": there}))).steps
    assert "paused" in steps[0].note


def test_changes_of_others_are_left_alone_unless_told() -> None:
    here = {"rules/a": rule(priority=1), "rules/b": rule(), "rules/c": rule()}
    there = {"rules/a": remote(priority=2), "rules/b": remote(priority=3), "rules/c": remote(), "rules/d": remote()}
    met = _met({"rules/a": remote(), "rules/b": remote(), "rules/c": remote()})
    found = differences(here, there, met)
    careful = plan(found)
    assert not careful.steps
    assert [each.key for each in careful.conflicts] == ["rules/a"]
    assert [each.key for each in careful.behind] == ["rules/b", "rules/d"]
    forced = plan(found, overwrite=True)
    assert [(step.verb, step.key) for step in forced.steps] == [(Verb.SAVE, "rules/a"), (Verb.SAVE, "rules/b")]
    assert [each.key for each in forced.kept] == ["rules/d"]
    assert not forced.conflicts


def test_what_lost_its_file_is_put_aside_only_when_asked() -> None:
    there = {"rules/a": remote("active"), "segments/vip": Remote({"authors": []}, 1), "brand": Remote({"name": "A"}, 1)}
    found = differences({}, there, _met(there))
    assert [each.key for each in plan(found).kept] == ["brand", "rules/a", "segments/vip"]
    pruned = plan(found, prune=True)
    assert [(step.verb, step.key) for step in pruned.steps] == [(Verb.ARCHIVE, "rules/a"), (Verb.DELETE, "segments/vip")]
    assert [each.key for each in pruned.kept] == ["brand"]


def test_steps_come_in_an_order_in_which_none_trips_over_another() -> None:
    here = {
        "rules/late": rule("active", priority=200),
        "rules/early": rule("active", priority=5),
        "rules/stops": rule("paused"),
        "segments/vip": {"authors": []},
        "channels/ig": {"platform": "instagram"},
        "links/shop": {"url": "https://acme.example/", "campaign": "summer"},
        "campaigns/summer": {"channels": ["ig"]},
        "topics/bike": {"terms": ["bike"]},
        "brand": {"name": "B"},
    }
    there = {
        "rules/stops": remote("active"),
        "rules/gone": remote("active"),
        "segments/old": Remote({"authors": []}, 1),
    }
    steps = plan(differences(here, there, _met(there)), prune=True).steps
    assert [step.key for step in steps] == [
        "brand",
        "segments/vip",
        "topics/bike",
        "channels/ig",
        "campaigns/summer",
        "links/shop",
        "rules/gone",
        "rules/stops",
        "rules/early",
        "rules/late",
        "segments/old",
    ]


def _met(there: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {key: (digest(each.document), digest(each.document)) for key, each in there.items() if each}
