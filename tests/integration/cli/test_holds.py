"""A crisis from the terminal: what waits and why, holds set and ended, everything stopped and started."""

from typing import Any

import orjson


def test_a_hold_lives_from_set_to_resume(cli: Any, installation: Any, brand: str) -> None:
    bike = {"kind": "product", "name": "Bike", "terms": ["bike"]}
    installation.call("PUT", f"/v1/brands/{brand}/topics/bike", bike)
    made = cli("holds", "set", "--platform", "facebook", "--topic", "product:bike", "--reason", "a recall [today]")
    assert made.code == 0, made.err
    hold = made.out.split()[1].rstrip(":")
    assert made.out.startswith(f"hold {hold}: platform facebook, topic product:bike (approval)")
    listed = cli("holds", "list").out
    assert (hold in listed, "a recall [today]" in listed, "a person's" in listed) == (True, True, True)

    ended = cli("holds", "resume", hold, "--reason", "the recall is over")
    assert (ended.code, ended.out.startswith(f"hold {hold} has ended")) == (0, True), ended.err
    assert hold not in cli("holds", "list").out
    assert "a recall [today]; ended: the recall is over" in cli("holds", "list", "--all").out
    (whole,) = orjson.loads(cli("holds", "list", "--all", "--json").out)
    assert (whole["active"], whole["platform"], whole["resumed_reason"]) == (False, "facebook", "the recall is over")


def test_everything_is_stopped_and_started_with_a_reason(cli: Any, installation: Any, brand: str) -> None:
    assert cli("holds", "stop").code == 2, "not without a reason"
    stopped = cli("holds", "stop", "--reason", "a crash")
    assert (stopped.code, stopped.out.startswith("everything is stopped")) == (0, True), stopped.err
    assert installation.call("GET", f"/v1/brands/{brand}").json()["held_reason"] == "a crash"
    assert "everything is stopped: a crash" in cli("holds", "list").out
    started = cli("holds", "start", "--reason", "agreed with the press office")
    assert (started.code, started.out.startswith("the brand posts again")) == (0, True), started.err
    assert "stopped" not in cli("holds", "list").out
    audited = installation.call("GET", f"/v1/brands/{brand}/audit").text
    assert "agreed with the press office" in audited


def test_what_does_not_exist_is_told_with_a_remedy(cli: Any) -> None:
    for words, told in (
        (("resume", "never-set"), "no hold"),
        (("set", "--topic", "bike"), "/topic"),
        (("set", "--campaign", "sumer-ugc"), "the brand has no campaign 'sumer-ugc'"),
    ):
        refused = cli("holds", *words, "--reason", "x")
        assert (refused.code, refused.err.startswith("error: "), told in refused.err) == (2, True, True), refused.err
