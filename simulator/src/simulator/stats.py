"""Counts of what happened, for tests and for the page. Derived from the world each time, so they cannot drift."""

import math
from collections.abc import Sequence

from simulator.delivery import DeliveryQueue
from simulator.world import World

Json = dict[str, object]


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """Nearest-rank percentile of values in ascending order; None of nothing."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def latency(seconds: Sequence[float]) -> Json:
    """Comment → first reply, in real milliseconds."""
    ordered = sorted(seconds)
    ranks = {name: percentile(ordered, share) for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    return {"count": len(ordered)} | {name: None if at is None else round(at * 1000, 3) for name, at in ranks.items()}


def world_stats(world: World, *, detail: bool) -> Json:
    """Comments, answers and doubles. `detail` adds the maps by comment id."""
    comments = list(world.comments.values())
    answered = {found.id: found.own_replies for found in comments if found.own_replies}
    private = {found.id: len(found.private_replies) for found in comments if found.private_replies}
    counts: Json = {
        "comments": sum(not found.own for found in comments),
        "posts": len(world.posts),
        "messages": sum(map(len, world.messages.values())),
        "reviews": len(world.reviews),
        "replies": sum(found.own for found in comments),
        "comments_answered": len(answered),
        "max_replies_per_comment": max(answered.values(), default=0),
        "comments_answered_twice": sum(count > 1 for count in answered.values()),
        "private_replies": sum(private.values()),
        "max_private_replies_per_comment": max(private.values(), default=0),
        "comments_private_replied_twice": sum(count > 1 for count in private.values()),
        "hidden": sum(found.hidden for found in comments),
        "removed": sum(found.removed for found in comments),
        "latency_ms": latency(world.latencies),
    }
    photos = {post.id: post.photo for post in world.posts.values() if post.photo and not post.removed}
    details: Json = {"replies_by_parent": answered, "private_replies_by_comment": private, "photos": photos}
    return counts | (details if detail else {})


def drained(queue: DeliveryQueue, *, feeding: int, late: int) -> Json:
    """What is still on its way, in updates; `drained` when nothing is."""
    waiting = {**queue.pending(), "feeding": feeding, "late_applies": late}
    total = sum(waiting.values())
    return {"drained": total == 0, "pending": total, **waiting}
