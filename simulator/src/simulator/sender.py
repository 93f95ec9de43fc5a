"""Carries webhooks to their receivers: the handshake, and the POSTs with their bounded concurrency."""

import asyncio
import contextlib
import logging
from random import Random

import httpx

from simulator.clock import Clock
from simulator.delivery import Batch, DeliveryQueue
from simulator.model import Account, Platform
from simulator.webhooks import body, sign

logger = logging.getLogger(__name__)

USER_AGENT = "Webhooks/1.0 (simulator)"


class Sender:
    """Sends what the queue has due, at most `concurrency` POSTs at once."""

    def __init__(self, *, client: httpx.AsyncClient, queue: DeliveryQueue, clock: Clock, rng: Random, concurrency: int) -> None:
        self._client = client
        self._queue = queue
        self._clock = clock
        self._rng = rng
        self._slots = asyncio.Semaphore(concurrency)
        self._work = asyncio.Event()
        self._flat = False
        queue.on_work(self._work.set)

    async def handshake(self, account: Account) -> dict[str, object]:
        """`hub.challenge` against the account's URL: {ok, status, reason}. A good answer subscribes the account."""
        challenge = str(self._rng.randrange(10**9, 10**10))
        query = {"hub.mode": "subscribe", "hub.challenge": challenge, "hub.verify_token": account.verify_token}
        account.subscribed = False
        try:
            answer = await self._client.get(account.webhook_url or "", params=query)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return {"ok": False, "status": None, "reason": f"{type(error).__name__}: {error}"}
        if answer.status_code != httpx.codes.OK:
            return {"ok": False, "status": answer.status_code, "reason": "the answer was not 200"}
        if answer.text != challenge:
            return {"ok": False, "status": 200, "reason": "the body was not the bare challenge"}
        account.subscribed = True
        return {"ok": True, "status": 200, "reason": ""}

    async def run(self) -> None:
        """Send for ever; ends by cancellation, and its POSTs with it."""
        async with asyncio.TaskGroup() as posts:
            while True:
                await self._slots.acquire()
                posts.create_task(self._post(await self._next()))

    async def _next(self) -> Batch:
        while True:
            self._work.clear()
            now = self._clock.now()
            batch = self._queue.take(now)
            if batch is not None:
                return batch
            due = self._queue.next_due()
            timeout = None if due is None else max(0.0, self._clock.real_seconds(due - now))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout):
                    await self._work.wait()

    async def _post(self, batch: Batch) -> None:
        generation = self._queue.generation
        try:
            accepted = await self._attempt(batch)
        finally:
            self._slots.release()
        if generation != self._queue.generation:
            return
        if accepted:
            self._queue.accept(batch, self._clock.now())
        else:
            self._queue.fail(batch, self._clock.now())

    async def _attempt(self, batch: Batch) -> bool:
        account = batch.updates[0].account
        wrong = self._rng.random() < self._queue.chaos.wrong_secret_rate
        content = self._body(batch)
        headers = sign(f"not-{account.app_secret}" if wrong else account.app_secret, content)
        headers |= {"Content-Type": "application/json", "User-Agent": USER_AGENT}
        self._queue.counters.wrong_secret_sent += wrong
        try:
            answer = await self._client.post(account.webhook_url or "", content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            logger.debug("webhook to %s failed: %s", account.webhook_url, type(error).__name__)
            return False
        self._queue.counters.wrong_secret_accepted += wrong and answer.is_success
        return answer.is_success

    def _body(self, batch: Batch) -> bytes:
        options = self._queue.options
        if batch.updates[0].account.platform is Platform.INSTAGRAM:
            self._flat = not self._flat
        flat = options.instagram_shape == "flat" or (options.instagram_shape == "alternate" and self._flat)
        wall = self._clock.wall()
        return body(batch.updates, wall, per_entry=options.changes_per_entry, flat=flat, wrap=options.array_wrap)
