"""When webhooks leave, how they are tried again, and what chaos does to them. Time is a number here."""

from itertools import pairwise
from random import Random

import pytest

from simulator.chaos import Chaos, DeliveryOptions
from simulator.delivery import HOLD_SECONDS, DeliveryQueue
from simulator.model import Account, Platform
from simulator.webhooks import RETRY_SPAN, Update, change, next_attempt

SEED = 20240607


def make_queue(*, size: int = 3, linger_ms: float = 5, scale: float = 1.0, **chaos: object) -> DeliveryQueue:
    print(f"seed {SEED}")
    options = DeliveryOptions(batch_size=size, linger_ms=linger_ms)
    return DeliveryQueue(Random(SEED), options, Chaos.model_validate(chaos), scale)


def make_account(platform: Platform = Platform.FACEBOOK, name: str = "1", secret: str = "s") -> Account:
    account = Account(platform, name, "n", f"t{platform}{name}", secret, webhook_url="http://127.0.0.1/hook")
    account.subscribed = True
    return account


ACCOUNT = make_account()


def make_update(subject: str, verb: str = "add", account: Account = ACCOUNT) -> Update:
    update = change(account, "feed", {"s": subject}, subject=subject, verb=verb)
    update.comment = True
    return update


def subjects(queue: DeliveryQueue, now: float) -> list[str]:
    batch = queue.take(now)
    assert batch is not None
    return [f"{update.verb}:{update.subject}" for update in batch.updates]


def test_a_full_batch_leaves_at_once_and_a_lone_update_after_its_linger() -> None:
    queue = make_queue()
    for number in range(4):
        queue.publish(make_update(str(number)), now=10.0)
    assert subjects(queue, 10.0) == ["add:0", "add:1", "add:2"]
    assert queue.take(10.004) is None
    assert queue.next_due() == pytest.approx(10.005)
    assert subjects(queue, 10.0051) == ["add:3"]
    assert queue.pending() == {"queued": 0, "in_flight": 4, "retrying": 0, "held": 0}


def test_platforms_and_secrets_never_share_a_batch() -> None:
    queue = make_queue(size=10, linger_ms=0)
    accounts = [make_account(), make_account(Platform.INSTAGRAM), make_account(name="2", secret="other"), make_account(name="3")]
    for account in accounts:
        queue.publish(make_update(account.id, account=account), 0)
    batches = [queue.take(1), queue.take(1), queue.take(1)]
    assert [len(batch.updates) for batch in batches if batch] == [2, 1, 1]
    assert queue.take(1) is None


def test_retries_come_at_once_then_ever_rarer_and_end_after_36_hours() -> None:
    queue = make_queue(linger_ms=0)
    queue.publish(make_update("a"), 0.0)
    now, moments = 0.0, []
    while (batch := queue.take(now)) is not None:
        moments.append(now)
        queue.fail(batch, now)
        now = queue.next_due() or now
    assert moments[:2] == [0.0, 0.0]
    gaps = [after - before for before, after in pairwise(moments[1:])]
    assert gaps[0] == 60.0
    assert all(later == 2 * earlier for earlier, later in pairwise(gaps))
    assert RETRY_SPAN / 2 < moments[-1] <= RETRY_SPAN
    assert queue.counters.dropped == 1
    assert queue.pending()["retrying"] == 0


def test_next_attempt_gives_up_only_past_the_span() -> None:
    assert next_attempt(100.0, 1, 130.0) == 130.0
    assert next_attempt(100.0, 2, 130.0) == 190.0
    assert next_attempt(0.0, 2, RETRY_SPAN - 60) == RETRY_SPAN
    assert next_attempt(0.0, 2, RETRY_SPAN - 59) is None


def test_a_retried_batch_is_accepted_once() -> None:
    queue = make_queue(linger_ms=0)
    queue.publish(make_update("a"), 0)
    first = queue.take(0)
    assert first is not None
    queue.fail(first, 0)
    again = queue.take(0)
    assert again is first
    queue.accept(again, 0)
    assert (queue.counters.accepted, queue.counters.delivered, queue.counters.retried) == (1, 1, 1)


def test_everything_can_be_redelivered_and_still_counts_once() -> None:
    queue = make_queue(linger_ms=0)
    queue.publish(make_update("a"), 0)
    batch = queue.take(0)
    assert batch is not None
    queue.accept(batch, 0)
    assert queue.redeliver(0) == 1
    copy = queue.take(0)
    assert copy is not None
    queue.accept(copy, 0)
    assert (queue.counters.accepted, queue.counters.delivered, queue.counters.duplicated) == (1, 2, 1)


@pytest.mark.parametrize("chaos", [{"redeliver_all": True}, {"duplicate_rate": 1.0}])
def test_copies_are_made_once_for_each_update(chaos: dict[str, object]) -> None:
    queue = make_queue(size=50, linger_ms=0, **chaos)
    for number in range(200):
        queue.publish(make_update(str(number)), 0)
    sent: list[str] = []
    while (batch := queue.take(0)) is not None:
        sent += [update.subject for update in batch.updates]
        queue.accept(batch, 0)
    copies = {sent.count(str(number)) for number in range(200)}
    assert copies == ({2} if "redeliver_all" in chaos else {1, 2})
    assert queue.counters.duplicated == len(sent) - 200
    assert queue.counters.duplicated > 120
    assert queue.counters.accepted == 200


def test_reordering_loses_nothing_and_changes_the_order() -> None:
    queue = make_queue(size=10, linger_ms=0, reorder=True)
    names = [str(number) for number in range(95)]
    for name in names:
        queue.publish(make_update(name), 0)
    sent: list[str] = []
    while (batch := queue.take(0)) is not None:
        sent += [update.subject for update in batch.updates]
    assert sent != names
    assert sorted(sent) == sorted(names)


def test_a_held_add_leaves_right_after_its_remove() -> None:
    queue = make_queue(linger_ms=0, remove_before_add=True)
    queue.publish(make_update("a"), 0)
    assert queue.take(0.5) is None
    assert queue.pending()["held"] == 1
    queue.publish(make_update("a", "remove"), 0.5)
    assert subjects(queue, 0.5) == ["remove:a", "add:a"]


def test_a_held_add_whose_remove_never_comes_leaves_in_the_end() -> None:
    queue = make_queue(linger_ms=0, scale=10, remove_before_add=1)
    queue.publish(make_update("a"), 0)
    assert queue.next_due() == HOLD_SECONDS * 10
    assert queue.take(HOLD_SECONDS * 10 - 0.1) is None
    assert subjects(queue, HOLD_SECONDS * 10) == ["add:a"]


def test_nobody_subscribed_nobody_told() -> None:
    queue = make_queue(linger_ms=0)
    account = make_account()
    account.subscribed = False
    queue.publish(make_update("a", account=account), 0)
    assert queue.take(9) is None
    assert queue.counters.unsubscribed == 1


def test_clearing_forgets_what_is_on_its_way() -> None:
    queue = make_queue(linger_ms=0)
    queue.publish(make_update("a"), 0)
    assert queue.take(0) is not None
    before = queue.generation
    queue.clear()
    assert queue.generation != before
    assert sum(queue.pending().values()) == 0
    assert queue.redeliver(0) == 0
