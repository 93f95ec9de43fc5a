"""Following a tracked link: people come first, and what is not recorded is counted."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from antiphon.clock import Clock
from antiphon.errors import Transient
from antiphon.links import LinkCode, read_code
from ingest.domain import Event, Kind, Platform
from ingest.ports import ClickMeter, Configuration, EventLog
from ingest.web import Link, Traffic, click_event, door, visitor

log = logging.getLogger(__name__)

DOOR = "links"

LOST = ("busy", "unavailable", "timeout", "stopped", "bug")
"""Why a click was not recorded."""

_KNOWN_AGENTS = 4_096
"""Browsers' names whose kind is remembered: people's browsers are far fewer, and each name is at most half a kilobyte."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who asks: the address and browser are looked at and forgotten."""

    address: str
    agent: str
    head: bool = False
    prefetch: bool = False


class ClickService:
    """Looks codes up, and records clicks beside the redirect."""

    def __init__(
        self,
        *,
        keys: Sequence[bytes],
        configuration: Configuration,
        event_log: EventLog,
        clock: Clock,
        meter: ClickMeter,
        bots: Iterable[str],
        wait: timedelta,
        deadline: timedelta,
        max_in_flight: int,
    ) -> None:
        self._keys, self._configuration = tuple(keys), configuration
        self._log, self._clock, self._meter = event_log, clock, meter
        words = tuple(bots)
        self._is_bot = lru_cache(_KNOWN_AGENTS)(lambda agent: not agent or any(word in agent for word in words))
        self._wait, self._deadline = wait.total_seconds(), deadline.total_seconds()
        self._max_in_flight = max_in_flight
        self._recording: set[asyncio.Task[None]] = set()

    def find(self, code: str) -> tuple[LinkCode, Link] | None:
        """Return what a code says and the brand's link, or None: unknown, forged and deleted look the same."""
        said = read_code(self._keys, code)
        link = self._configuration.link(said.brand, said.link) if said else None
        return (said, link) if said and link else None

    def ready(self) -> bool:
        """Tell whether an unknown code is unknown for good; before the configuration is read nobody can know."""
        return self._configuration.complete()

    def missed(self) -> None:
        """Count a code that leads nowhere."""
        self._meter.click(Traffic.UNKNOWN)

    async def follow(self, said: LinkCode, link: Link, code: str, visit: Visit) -> str:
        """Return where to send the visitor, after recording a person's click, or after the wait for that at the latest."""
        traffic = self._traffic(visit)
        self._meter.click(traffic)
        if traffic is not Traffic.PERSON:
            return link.target(click="", code=code)
        now = self._clock.now()
        who = visitor(self._keys[0], said.brand, now.date(), visit.address, visit.agent)
        event = click_event(said.brand, said.link, said.action_id, who, now)
        await self._record(event)
        return link.target(click=event.event_id, code=code)

    async def drain(self) -> None:
        """Wait for clicks that are still on their way; what has not arrived by the deadline is lost."""
        if self._recording:
            _, late = await asyncio.wait(self._recording, timeout=self._deadline)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _traffic(self, visit: Visit) -> Traffic:
        if visit.head:
            return Traffic.HEAD
        if visit.prefetch:
            return Traffic.PREFETCH
        return Traffic.BOT if self._is_bot(visit.agent.lower()) else Traffic.PERSON

    async def _record(self, event: Event) -> None:
        if len(self._recording) >= self._max_in_flight:
            self._meter.lost("busy")
            return
        task = asyncio.create_task(self._keep(event))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)
        await asyncio.wait({task}, timeout=self._wait)

    async def _keep(self, event: Event) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                await self._log.append(door(DOOR, (event,)), event.event_time, (event,), ())
        except TimeoutError:
            self._meter.lost("timeout")
        except Transient:
            self._meter.lost("unavailable")
        except asyncio.CancelledError:
            self._meter.lost("stopped")
            log.warning("a click was lost because the process stopped")
            raise
        except Exception:
            self._meter.lost("bug")
            log.exception("a click was lost")
        else:
            self._meter.event(Platform.WEB, Kind.CLICK)
