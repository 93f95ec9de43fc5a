"""What the use cases need from the outside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import SecretStr

from publisher.domain.admission import BrandPolicy, Edit, Facts, Handoff
from publisher.domain.calls import Answer, Deed, Grant, Listing, Rate
from publisher.domain.entries.rights import Cleared, NotCleared
from publisher.domain.limits import Consumed
from publisher.domain.model import Entry, Kind, Order, State, Told


@dataclass(frozen=True, slots=True)
class Saving:
    """A compare-and-set: `after` replaces `before` if nobody has changed the entry since. `actor` goes to the history."""

    before: Entry
    after: Entry


@dataclass(frozen=True, slots=True)
class Inserted:
    """What became of an insertion: stored now, stored before (as it is now), refused because the target's slot is taken."""

    new: Sequence[Entry]
    known: Sequence[Entry]
    taken: Sequence[Entry]


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the ledger; `next`, the id to go on after, is None on the last one."""

    entries: Sequence[Entry]
    next: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries of a brand are asked for; empty and None: all."""

    state: State | None = None
    rule_id: str = ""
    kind: Kind | None = None
    platform: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of an entry's history."""

    at: float
    state: str
    reason: str
    actor: str
    epoch: int


class Ledger(Protocol):
    """The durable record of every action. Writes return only after a majority has them; Transient when it cannot say."""

    async def insert(self, entries: Sequence[Entry], adopted: float) -> Inserted:
        """Store new entries; they come to a sweep's attention `adopted` seconds later than they are due."""
        ...

    async def save(self, savings: Sequence[Saving]) -> Sequence[bool]:
        """Carry out compare-and-sets, each for itself; Invalid("slot_taken") if a single one needs a slot that is taken."""
        ...

    async def get(self, action_ids: Sequence[str]) -> Sequence[Entry]:
        """Return those that exist, in any order."""
        ...

    async def history(self, action_id: str) -> Sequence[Happening]:
        """Return what happened to one action, oldest first."""
        ...

    async def on_target(self, brand: str, platform: str, target: str) -> Sequence[Entry]:
        """Return every entry on one object."""
        ...

    async def in_states(self, brand: str, states: Sequence[State], limit: int) -> Sequence[Entry]:
        """Return entries of one brand that are in one of the states."""
        ...

    async def due(self, now: float, limit: int) -> Sequence[Entry]:
        """Return entries that a sweep must look at, the longest waiting first."""
        ...

    async def postpone(self, entries: Sequence[Entry], until: float | None) -> None:
        """Keep entries that nobody moves meanwhile from a sweep's attention until then (None: for good)."""
        ...

    async def left_behind(self, before: float) -> Sequence[Told]:
        """Return announcements of states saved before a moment by others, whose leaving was never confirmed."""
        ...

    async def clear(self, told: Sequence[Told]) -> None:
        """Confirm that announcements have left."""
        ...

    async def posted_as(self, brand: str, platform: str, platform_id: str) -> bool:
        """Tell whether one of the brand's entries has this effect on the platform."""
        ...

    async def browse(self, brand: str, wanted: Filter, *, after: str, limit: int) -> Page:
        """Return a page of one brand's entries, in the order of their ids, after one of them."""
        ...

    async def count(self, brand: str, state: State) -> Mapping[str, int]:
        """Return how many entries of a brand are in a state, by platform; platforms without any are left out."""
        ...


@dataclass(frozen=True, slots=True)
class Observation:
    """Something learnt about an object."""

    brand: str
    platform: str
    object: str
    deleted_at: float | None = None
    edit: Edit | None = None
    human_at: float | None = None
    handoff: Handoff | None = None


class Threads(Protocol):
    """What is known about targets and their threads."""

    async def record(self, observations: Sequence[Observation]) -> None:
        """Store durably; repeating it changes nothing."""
        ...

    async def facts(self, brand: str, platform: str, objects: Sequence[str]) -> Mapping[str, Facts]:
        """Return what is known, by object; unknown ones are absent."""
        ...


class Limits(Protocol):
    """The ids that consumed limits."""

    async def read(self, key: str) -> Consumed:
        """Return what is consumed; nothing at revision 0 when the key is new."""
        ...

    async def write(self, key: str, consumed: Consumed) -> bool:
        """Store if the revision is still the one read; the stored one is one higher."""
        ...


class Tokens(Protocol):
    """Each channel's allowance of calls, shared by all replicas. Never raises: it falls back to a share of its own."""

    async def take(self, channel: str, wanted: int, rate: Rate) -> Grant:
        """Take up to `wanted` calls."""
        ...

    async def pause(self, channel: str, seconds: float) -> None:
        """Let nobody call for a while."""
        ...

    async def slow(self, channel: str, factor: float) -> None:
        """Multiply the rate by `factor` (0.05 to 1) from now on."""
        ...


@dataclass(frozen=True, slots=True)
class Channel:
    """One of a brand's accounts, with what is needed to act as it. `refused_at`: when its credential was last refused."""

    brand: str
    channel: str
    platform: str
    account: str
    credential: SecretStr
    api_url: str = ""
    rate: Rate | None = None
    refused_at: float | None = None
    generation: int = 0

    @property
    def key(self) -> str:
        """The name of its token bucket."""
        return f"{self.brand}/{self.channel}"


class Secrets(Protocol):
    """The secrets that sign notifications."""

    async def valid(self, brand: str, name: str) -> Sequence[SecretStr]:
        """Return those of the name that are valid now, the newest first; none when there is none. Raises Transient."""
        ...


class Channels(Protocol):
    """The channels and their credentials."""

    async def find(self, brand: str, channel: str, platform: str, account: str) -> Channel | None:
        """Return the channel by name, or by account when the name is empty; None unless platform and account fit."""
        ...

    async def credential_refused(self, channel: Channel, at: float | None) -> None:
        """Note that the platform refuses this credential (None: that it accepts it again)."""
        ...


class Platform(Protocol):
    """One platform's way of acting and reading."""

    name: str
    kinds: frozenset[Kind]
    repeatable: frozenset[Kind]
    """Kinds that have no second effect when they are done twice."""
    listable: frozenset[Kind]
    """Kinds whose effect can be read back."""

    def default_rate(self) -> Rate:
        """Return the rate of a channel that was given none."""
        ...

    async def act(self, channel: Channel, deed: Deed) -> Answer:
        """Make exactly one call. Never raises for what a platform or a network does."""
        ...

    async def feature(self, channel: Channel, deed: Deed, media: Sequence[Cleared]) -> Answer:
        """Post cleared media as the brand, with at most one visible effect. The only way by which media leave."""
        ...

    async def read_back(self, channel: Channel, order: Order) -> Listing:
        """Read what of ours stands under the order's target. Raises Transient when it cannot be read."""
        ...

    async def check(self, channel: Channel) -> str:
        """Return the account's name as the platform knows it. Raises Invalid (credential) or Transient."""
        ...


class Announcer(Protocol):
    """Where state changes go."""

    async def announce(self, told: Sequence[Told]) -> None:
        """Return once all are durable. Raises Transient."""
        ...


class Policies(Protocol):
    """What people decided, in force now."""

    def policy(self, brand: str) -> BrandPolicy:
        """Return the brand's policy."""
        ...


class Rights(Protocol):
    """Asked right before media are sent."""

    async def cleared(self, order: Order) -> Sequence[Cleared] | NotCleared:
        """Return the media that an order may post at this moment, or why it may post none. Raises Transient."""
        ...


class Meter(Protocol):
    """Counts what happens."""

    def delivered(self, told: Told) -> None:
        """A state was told."""
        ...

    def unknown(self, platform: str) -> None:
        """A send's outcome is not known."""
        ...

    def reconciled(self, result: str) -> None:
        """A reading back ended: seen, unseen, failed, unlistable, echoed."""
        ...

    def doubled(self) -> None:
        """More than one of ours stands under one target."""
        ...

    def called(self, platform: str, seconds: float) -> None:
        """A call was answered after so long."""
        ...

    def paused(self, delta: int) -> None:
        """A channel began (1) or ended (-1) to rest."""
        ...


Failpoint = Callable[[str], None]
