"""Token buckets in Redis, one a channel, shared by all replicas; without Redis each replica keeps its share by itself."""

import logging
from dataclasses import dataclass

from redis.asyncio import Redis
from redis.exceptions import RedisError
from typing_extensions import override

from antiphon.clock import Clock
from publisher.domain.calls import Grant, Rate
from publisher.ports import Tokens

log = logging.getLogger(__name__)

_AWAY_SECONDS = 5.0
"""After a failure Redis is left alone for this long, so that its outage costs one timeout now and then."""

_SHORTEST_WAIT = 0.2
"""Seconds until more is asked for; shorter would fetch tokens one by one."""

_LONGEST_WAIT = 2.0
"""Seconds after which an emptied or paused bucket is looked at again: a pause may have been lifted."""

_SLOW_SECONDS = 120
"""How long a slower pace holds without being confirmed by further answers."""

TAKE = """
local paused = redis.call('PTTL', KEYS[2])
if paused > 0 then return {0, paused} end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local factor = tonumber(redis.call('GET', KEYS[3]) or '1')
local rate = tonumber(ARGV[1]) * factor / 1000
local burst = math.max(1, tonumber(ARGV[2]) * factor)
local stored = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = math.min(burst, (tonumber(stored[1]) or burst) + math.max(0, now - (tonumber(stored[2]) or now)) * rate)
local granted = math.min(tonumber(ARGV[3]), math.floor(tokens))
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], math.ceil(burst / rate) + 60000)
return {granted, math.ceil(math.max(0, 1 - tokens) / rate)}
"""
"""Atomic: refill by Redis' own clock, take as many whole tokens as there are; answers (granted, milliseconds to the next)."""


@dataclass(slots=True)
class _Local:
    tokens: float
    at: float


class RedisTokens(Tokens):
    """Redis holds nothing here that cannot be lost: after a flush the buckets are full and the platform slows us again."""

    def __init__(self, redis: "Redis", clock: Clock, *, replicas: int, prefix: str = "antiphon:publisher") -> None:
        self._redis, self._clock, self._replicas, self._prefix = redis, clock, replicas, prefix
        self._take = redis.register_script(TAKE)
        self._local: dict[str, _Local] = {}
        self._paused_until: dict[str, float] = {}
        self._factors: dict[str, tuple[float, float]] = {}
        self._away_until = 0.0

    @override
    async def take(self, channel: str, wanted: int, rate: Rate) -> Grant:
        now = self._clock.monotonic()
        paused = self._paused_until.get(channel, 0.0) - now
        if paused > 0:
            return Grant(0, min(paused, _LONGEST_WAIT))
        if now >= self._away_until:
            try:
                granted, wait = await self._take(keys=self._keys(channel), args=[rate.per_second, rate.burst, wanted])
            except (RedisError, OSError) as error:
                self._lost(error)
            else:
                return Grant(int(granted), _waiting(int(wait) / 1000))
        return self._take_locally(channel, wanted, rate, now)

    def _take_locally(self, channel: str, wanted: int, rate: Rate, now: float) -> Grant:
        factor, until = self._factors.get(channel, (1.0, 0.0))
        share = (factor if now < until else 1.0) / self._replicas
        per_second, burst = rate.per_second * share, max(1.0, rate.burst * share)
        bucket = self._local.setdefault(channel, _Local(burst, now))
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * per_second)
        bucket.at = now
        granted = min(wanted, int(bucket.tokens))
        bucket.tokens -= granted
        return Grant(granted, _waiting(max(0.0, 1 - bucket.tokens) / per_second))

    @override
    async def pause(self, channel: str, seconds: float) -> None:
        until = self._clock.monotonic() + seconds
        self._paused_until[channel] = max(until, self._paused_until.get(channel, 0.0))
        if self._clock.monotonic() < self._away_until:
            return
        try:
            await self._redis.set(self._keys(channel)[1], "1", px=max(1, int(seconds * 1000)))
        except (RedisError, OSError) as error:
            self._lost(error)

    @override
    async def slow(self, channel: str, factor: float) -> None:
        now = self._clock.monotonic()
        before, until = self._factors.get(channel, (1.0, 0.0))
        self._factors[channel] = (factor, now + _SLOW_SECONDS)
        unchanged = factor == before and (factor == 1.0 or now < until - _SLOW_SECONDS / 2)
        if unchanged or now < self._away_until:
            return
        try:
            await self._redis.set(self._keys(channel)[2], str(factor), ex=_SLOW_SECONDS)
        except (RedisError, OSError) as error:
            self._lost(error)

    def _keys(self, channel: str) -> list[str]:
        # One hash tag, so that a cluster keeps the three together.
        return [f"{self._prefix}:{{{channel}}}:{part}" for part in ("bucket", "pause", "factor")]

    def _lost(self, error: Exception) -> None:
        self._away_until = self._clock.monotonic() + _AWAY_SECONDS
        log.warning("Redis is away, keeping to a share of the limits: %s", type(error).__name__)


def _waiting(seconds: float) -> float:
    return min(_LONGEST_WAIT, max(_SHORTEST_WAIT, seconds))
