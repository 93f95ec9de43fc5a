"""Token buckets on a real Redis, and without one."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from antiphon.clock import SystemClock
from antiphon.testing import FakeClock
from publisher.adapters.redis_tokens import RedisTokens
from publisher.domain.calls import Rate

pytestmark = pytest.mark.local


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(redis_url, socket_timeout=0.5)
    yield client
    await client.aclose()


@pytest.fixture
def prefix(unique_name: Callable[[str], str]) -> str:
    return unique_name("tokens")


async def test_replicas_share_one_allowance(redis: "Redis", prefix: str) -> None:
    replicas = [RedisTokens(redis, SystemClock(), replicas=4, prefix=prefix) for _ in range(4)]
    grants = await asyncio.gather(*(one.take("b/c", 4, Rate(0.001, 10)) for one in replicas for _ in range(3)))
    assert sum(grant.granted for grant in grants) == 10
    assert all(0 < grant.wait <= 2.0 for grant in grants if grant.granted < 4)
    assert (await replicas[0].take("b/other", 4, Rate(0.001, 10))).granted == 4


async def test_the_bucket_fills_again(redis: "Redis", prefix: str) -> None:
    tokens = RedisTokens(redis, SystemClock(), replicas=1, prefix=prefix)
    assert (await tokens.take("b/c", 50, Rate(100, 5))).granted == 5
    await asyncio.sleep(0.05)
    assert 3 <= (await tokens.take("b/c", 50, Rate(100, 5))).granted <= 5


async def test_a_pause_holds_for_all_replicas(redis: "Redis", prefix: str) -> None:
    one, two = (RedisTokens(redis, SystemClock(), replicas=2, prefix=prefix) for _ in range(2))
    await one.pause("b/c", 0.3)
    assert (await one.take("b/c", 1, Rate(100, 5))).granted == 0
    assert (await two.take("b/c", 1, Rate(100, 5))).granted == 0
    await asyncio.sleep(0.35)
    assert (await two.take("b/c", 1, Rate(100, 5))).granted == 1


async def test_a_slower_pace_is_shared(redis: "Redis", prefix: str) -> None:
    one, two = (RedisTokens(redis, SystemClock(), replicas=2, prefix=prefix) for _ in range(2))
    await one.slow("b/c", 0.1)
    assert (await two.take("b/c", 50, Rate(1, 100))).granted == 10


async def test_without_redis_each_replica_keeps_its_share(prefix: str) -> None:
    clock = FakeClock()
    gone = Redis.from_url("redis://127.0.0.1:1/0", socket_timeout=0.1, socket_connect_timeout=0.1)
    tokens = RedisTokens(gone, clock, replicas=4, prefix=prefix)
    assert (await tokens.take("b/c", 50, Rate(40, 80))).granted == 20
    clock.advance(0.5)
    assert (await tokens.take("b/c", 50, Rate(40, 80))).granted == 5
    await tokens.slow("b/c", 0.5)
    clock.advance(1.0)
    assert (await tokens.take("b/c", 50, Rate(40, 80))).granted == 5
    await tokens.pause("b/c", 60.0)
    clock.advance(59.0)
    assert (await tokens.take("b/c", 50, Rate(40, 80))).granted == 0
    clock.advance(2.0)
    assert (await tokens.take("b/c", 50, Rate(40, 80))).granted > 0
    await gone.aclose()
