"""From a decision to the effect on the platform and the delivery that says so."""

from typing import Any

import pytest

from antiphon.v1.decision_pb2 import ActionKind, Mode
from antiphon.v1.delivery_pb2 import DeliveryReason, DeliveryState

pytestmark = pytest.mark.local


@pytest.mark.parametrize("platform", ["facebook", "instagram"])
async def test_a_reply_is_posted_once_however_often_it_is_decided(stage_for: Any, platform: str) -> None:
    stage = await stage_for(platform)
    await stage.started()
    comment = stage.network.comment(platform, stage.account, "how much?")
    decision = stage.decision(comment)
    await stage.decide(decision, decision)
    last = (await stage.rest([decision.actions[0].action_id]))[decision.actions[0].action_id]
    assert last.state == DeliveryState.DELIVERY_STATE_POSTED
    assert (last.sequence, last.attempts, last.target) == (1, 1, comment)
    assert last.platform_id
    await stage.decide(decision)
    other = stage.network.comment(platform, stage.account, "and this?")
    second = stage.decision(other)
    await stage.decide(second)
    await stage.rest([second.actions[0].action_id])
    assert stage.network.replies()[comment] == 1
    assert stage.network.replies()[other] == 1


async def test_every_kind_has_its_effect(stage_for: Any) -> None:
    stage = await stage_for("facebook")
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "buy followers here")
    kinds = {
        "hide": ActionKind.ACTION_KIND_HIDE,
        "private": ActionKind.ACTION_KIND_PRIVATE_REPLY,
        "like": ActionKind.ACTION_KIND_LIKE,
        "tag": ActionKind.ACTION_KIND_TAG,
    }
    before = stage.network.hidden()
    decisions = {rule: stage.decision(comment, rule=rule, kind=kind) for rule, kind in kinds.items()}
    shadow = stage.decision(comment, rule="shadow", mode=Mode.MODE_SHADOW)
    asked = stage.decision(comment, rule="asked", mode=Mode.MODE_APPROVAL)
    entered = stage.decision(comment, rule="entered", kind=ActionKind.ACTION_KIND_ENTER)
    delete = stage.decision(comment, rule="delete", kind=ActionKind.ACTION_KIND_DELETE)
    await stage.decide(*decisions.values(), shadow, asked, entered, delete)
    names = [one.actions[0].action_id for one in (*decisions.values(), shadow, asked, entered, delete)]
    last = await stage.rest(names)
    states = [last[name].state for name in names]
    posted = DeliveryState.DELIVERY_STATE_POSTED
    assert states[:4] == [posted] * 4
    assert states[4] == DeliveryState.DELIVERY_STATE_SHADOWED
    assert states[5] == states[7] == DeliveryState.DELIVERY_STATE_WAITING_APPROVAL
    assert states[6] == posted
    assert stage.network.hidden() == before + 1
    assert stage.network.private_replies()[comment] == 1
    assert comment not in stage.network.replies()


async def test_a_second_reply_on_a_target_is_refused_by_the_ledger(stage_for: Any) -> None:
    stage = await stage_for("facebook")
    await stage.started()
    comment = stage.network.comment("facebook", stage.account, "hello")
    one, two = stage.decision(comment, rule="one"), stage.decision(comment, rule="two")
    await stage.decide(one, two, two)
    last = await stage.rest([one.actions[0].action_id, two.actions[0].action_id])
    assert last[one.actions[0].action_id].state == DeliveryState.DELIVERY_STATE_POSTED
    loser = last[two.actions[0].action_id]
    assert (loser.state, loser.reason) == (DeliveryState.DELIVERY_STATE_SUPPRESSED, DeliveryReason.DELIVERY_REASON_TARGET_TAKEN)
    assert stage.network.replies()[comment] == 1
