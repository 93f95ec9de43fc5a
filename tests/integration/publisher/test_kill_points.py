"""SIGKILL at each named point, restart, redelivery: one effect or a parked action, never two, and always told."""

from collections.abc import Iterator
from typing import Any

import pytest

from antiphon.v1.decision_pb2 import ActionKind
from antiphon.v1.delivery_pb2 import DeliveryState
from antiphon_local.services import LocalServices

pytestmark = pytest.mark.local

POSTED, PARKED = DeliveryState.DELIVERY_STATE_POSTED, DeliveryState.DELIVERY_STATE_PARKED

POINTS = {
    "publisher.before_intent": {POSTED},
    "publisher.after_sending": {PARKED},  # nobody can know that nothing was sent
    "publisher.after_write": {POSTED, PARKED},  # the platform may have read it, or not
    "publisher.after_response": {POSTED},
    "publisher.after_save": {POSTED},
    "publisher.after_commit": {POSTED, PARKED},
    "publisher.before_clear": {POSTED},
}


@pytest.fixture(scope="module")
def local_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Services of its own: a new worker tells of the holds that other tests left on the topic, and passes the same points."""
    with LocalServices(tmp_path_factory.mktemp("own") / "services", partitions=4) as services:
        yield services.env()


@pytest.mark.sampled(3)
@pytest.mark.parametrize("point", POINTS)
async def test_killed_and_restarted(stage_for: Any, point: str) -> None:
    stage = await stage_for("facebook")
    process = stage.worker(FAILPOINT=f"{point}:kill")
    comment = stage.network.comment("facebook", stage.account, "hello?")
    decision = stage.decision(comment)
    await stage.decide(decision)
    await stage.died(process)
    stage.worker()
    await stage.decide(decision)
    name = decision.actions[0].action_id
    last = (await stage.rest([name]))[name]
    effects = stage.network.replies().get(comment, 0)
    told = "\n\n".join(f"exit code {process.exit_code}\n{process.log_tail()}" for process in stage.workers)
    assert last.state in POINTS[point], f"{effects} effects, {last}\n{told}"
    assert effects <= 1
    assert effects == 1 or last.state == PARKED


async def test_a_parked_reply_is_found_by_a_later_echo(stage_for: Any) -> None:
    stage = await stage_for("facebook")
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "hello?")
    stage.network.fault("timeout_before_apply", "reply", stage.account)
    decision = stage.decision(comment)
    await stage.decide(decision)
    name = decision.actions[0].action_id
    assert (await stage.rest([name]))[name].state == PARKED
    echo = stage.decision("echo-1", parent=comment, echo=True, actions=[])
    await stage.decide(echo)
    while stage.deliveries[name][-1].state == PARKED:
        await stage.read()
    last = stage.deliveries[name][-1]
    assert (last.state, last.sequence, last.platform_id) == (POSTED, 2, "echo-1")


@pytest.mark.parametrize(
    ("fault", "state", "effects"),
    [
        ("reset_after_apply", POSTED, 1),
        ("reset_before_apply", PARKED, 0),
        ("http_500_after_apply", POSTED, 1),
        ("unreadable_200", POSTED, 1),
        ("timeout_after_apply", POSTED, 1),
    ],
)
async def test_an_unknown_outcome_is_looked_for(stage_for: Any, fault: str, state: int, effects: int) -> None:
    stage = await stage_for("instagram")
    await stage.started()
    comment = stage.network.comment("instagram", stage.account, "hello?")
    stage.network.fault(fault, "reply", stage.account)
    decision = stage.decision(comment)
    await stage.decide(decision)
    name = decision.actions[0].action_id
    assert (await stage.rest([name]))[name].state == state
    assert stage.network.replies().get(comment, 0) == effects


async def test_a_hidden_comment_may_be_hidden_again(stage_for: Any) -> None:
    stage = await stage_for("facebook")
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "spam")
    stage.network.fault("reset_after_apply", "hide", stage.account)
    decision = stage.decision(comment, kind=ActionKind.ACTION_KIND_HIDE)
    await stage.decide(decision)
    name = decision.actions[0].action_id
    last = (await stage.rest([name]))[name]
    assert (last.state, last.attempts) == (POSTED, 2)
