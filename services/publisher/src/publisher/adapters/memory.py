"""The ledger, threads, limits and channels in memory: for tests, held to the same contract as the stores."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import SecretStr
from typing_extensions import override

from antiphon.errors import Invalid
from publisher.adapters.documents import slot_of
from publisher.domain.admission import HANDOFFS_KEPT, Facts
from publisher.domain.calls import Grant, Rate
from publisher.domain.limits import Consumed
from publisher.domain.model import Entry, State, Told, attention_at, told_of
from publisher.ports import (
    Channel,
    Channels,
    Filter,
    Happening,
    Inserted,
    Ledger,
    Limits,
    Observation,
    Page,
    Saving,
    Secrets,
    Threads,
    Tokens,
)


class MemoryLedger(Ledger):
    """A dictionary with the store's manners."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self._attention: dict[str, float | None] = {}
        self._outbox: dict[str, list[Told]] = {}
        self._history: dict[str, list[Happening]] = {}

    def _slots(self) -> dict[tuple[str, str, str, str], str]:
        return {(e.order.brand, e.order.platform, e.order.target, slot_of(e)): name for name, e in self.entries.items()}

    def _taken(self, entry: Entry) -> bool:
        order = entry.order
        holder = self._slots().get((order.brand, order.platform, order.target, slot_of(entry)))
        return holder not in {None, order.action_id}

    @override
    async def insert(self, entries: Sequence[Entry], adopted: float) -> Inserted:
        new: list[Entry] = []
        known: list[Entry] = []
        taken: list[Entry] = []
        for entry in entries:
            name = entry.order.action_id
            if name in self.entries:
                known.append(self.entries[name])
            elif self._taken(entry):
                taken.append(entry)
            else:
                new.append(entry)
                self._store(entry, told=entry.position.sequence > 0)
                due = self._attention[name]
                self._attention[name] = due + adopted if due is not None and entry.position.state is State.NEW else due
        return Inserted(new, known, taken)

    def _store(self, entry: Entry, *, told: bool) -> None:
        name, at = entry.order.action_id, entry.position
        self.entries[name] = entry
        self._outbox.setdefault(name, []).extend([told_of(entry)] if told else [])
        self._attention[name] = attention_at(entry.order, at)
        self._history.setdefault(name, []).append(Happening(at.changed_at, at.state, at.reason, at.actor, at.epoch))

    @override
    async def save(self, savings: Sequence[Saving]) -> Sequence[bool]:
        results = []
        for saving in savings:
            if self.entries.get(saving.before.order.action_id) != saving.before:
                results.append(False)
                continue
            if self._taken(saving.after):
                raise Invalid("slot_taken", "another action has this target")
            self._store(saving.after, told=saving.after.position.sequence > saving.before.position.sequence)
            results.append(True)
        return results

    @override
    async def get(self, action_ids: Sequence[str]) -> Sequence[Entry]:
        return [self.entries[name] for name in action_ids if name in self.entries]

    @override
    async def history(self, action_id: str) -> Sequence[Happening]:
        return self._history.get(action_id, [])

    @override
    async def on_target(self, brand: str, platform: str, target: str) -> Sequence[Entry]:
        wanted = (brand, platform, target)
        return [e for e in self.entries.values() if (e.order.brand, e.order.platform, e.order.target) == wanted]

    @override
    async def in_states(self, brand: str, states: Sequence[State], limit: int) -> Sequence[Entry]:
        return [e for e in self.entries.values() if e.order.brand == brand and e.position.state in states][:limit]

    @override
    async def due(self, now: float, limit: int) -> Sequence[Entry]:
        due = sorted((at, name) for name, at in self._attention.items() if at is not None and at <= now)
        return [self.entries[name] for _, name in due[:limit]]

    @override
    async def postpone(self, entries: Sequence[Entry], until: float | None) -> None:
        for entry in entries:
            if self.entries[entry.order.action_id].position.revision == entry.position.revision:
                self._attention[entry.order.action_id] = until

    @override
    async def left_behind(self, before: float) -> Sequence[Told]:
        return [told for one in self._outbox.values() for told in one if told.at < before]

    @override
    async def clear(self, told: Sequence[Told]) -> None:
        for one in told:
            name = one.order.action_id
            self._outbox[name] = [other for other in self._outbox[name] if other.sequence != one.sequence]

    @override
    async def posted_as(self, brand: str, platform: str, platform_id: str) -> bool:
        wanted = (brand, platform, platform_id)
        return any((e.order.brand, e.order.platform, e.position.platform_id) == wanted for e in self.entries.values())

    @override
    async def browse(self, brand: str, wanted: Filter, *, after: str, limit: int) -> Page:
        mine = [entry for name, entry in sorted(self.entries.items()) if entry.order.brand == brand and name > after]
        found = [entry for entry in mine if _fits(entry, wanted)]
        return Page(found[:limit], found[limit - 1].order.action_id if len(found) > limit else None)

    @override
    async def count(self, brand: str, state: State) -> Mapping[str, int]:
        mine = (e for e in self.entries.values() if e.order.brand == brand and e.position.state is state)
        return Counter(e.order.platform for e in mine)


def _fits(entry: Entry, wanted: Filter) -> bool:
    order = entry.order
    asked = (wanted.state, wanted.rule_id, wanted.kind, wanted.platform)
    have = (entry.position.state, order.rule_id, order.kind, order.platform)
    return all(not want or want == has for want, has in zip(asked, have, strict=True))


class MemoryThreads(Threads):
    """What is known about objects, by (brand, platform, object)."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str, str], Facts] = {}

    @override
    async def record(self, observations: Sequence[Observation]) -> None:
        for seen in observations:
            key = (seen.brand, seen.platform, seen.object)
            known = self._facts.get(key, Facts())
            edits = [edit for edit in (known.edit, seen.edit) if edit is not None]
            humans = [at for at in (known.human_at, seen.human_at) if at is not None]
            handoffs = {*known.handoffs, *([seen.handoff] if seen.handoff else [])}
            self._facts[key] = Facts(
                known.deleted or seen.deleted_at is not None,
                max(edits, key=lambda edit: edit.order) if edits else None,
                max(humans) if humans else None,
                tuple(sorted(handoffs, key=lambda one: (one.at, one.event_id), reverse=True))[:HANDOFFS_KEPT],
            )

    @override
    async def facts(self, brand: str, platform: str, objects: Sequence[str]) -> Mapping[str, Facts]:
        return {name: self._facts[brand, platform, name] for name in objects if (brand, platform, name) in self._facts}


class MemoryLimits(Limits):
    """What is consumed, by key."""

    def __init__(self) -> None:
        self._consumed: dict[str, Consumed] = {}

    @override
    async def read(self, key: str) -> Consumed:
        return self._consumed.get(key, Consumed())

    @override
    async def write(self, key: str, consumed: Consumed) -> bool:
        if self._consumed.get(key, Consumed()).revision != consumed.revision:
            return False
        self._consumed[key] = replace(consumed, revision=consumed.revision + 1)
        return True


class MemoryChannels(Channels):
    """Channels by (brand, channel)."""

    def __init__(self, *channels: Channel) -> None:
        self.channels = {(one.brand, one.channel): one for one in channels}

    @override
    async def find(self, brand: str, channel: str, platform: str, account: str) -> Channel | None:
        found = self.channels.get((brand, channel))
        return found if found and (found.platform, found.account) == (platform, account) else None

    @override
    async def credential_refused(self, channel: Channel, at: float | None) -> None:
        self.channels[channel.brand, channel.channel] = replace(channel, refused_at=at)


class MemorySecrets(Secrets):
    """Secrets by (brand, name)."""

    def __init__(self) -> None:
        self.secrets: dict[tuple[str, str], list[SecretStr]] = {}

    @override
    async def valid(self, brand: str, name: str) -> Sequence[SecretStr]:
        return self.secrets.get((brand, name), [])


class FreeTokens(Tokens):
    """Everybody may, except while a channel is paused."""

    def __init__(self) -> None:
        self.pauses: dict[str, float] = {}

    @override
    async def take(self, channel: str, wanted: int, rate: Rate) -> Grant:
        pause = self.pauses.get(channel, 0.0)
        return Grant(0, pause) if pause else Grant(wanted, 0.0)

    @override
    async def pause(self, channel: str, seconds: float) -> None:
        self.pauses[channel] = seconds

    @override
    async def slow(self, channel: str, factor: float) -> None:
        return None
