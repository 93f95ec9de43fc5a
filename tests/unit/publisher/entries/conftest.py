"""The campaigns role without the outside: every part of it, on stores in memory and a clock that moves when told."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typing_extensions import override

from antiphon.errors import Invalid, Transient
from antiphon.testing import FakeClock
from publisher.adapters.lookalikes import MinHashLookalikes
from publisher.adapters.memory import MemoryLedger, MemoryLimits, MemoryThreads
from publisher.adapters.memory_entries import MemoryEntries, MemoryMedia, MemoryPlaces
from publisher.domain.admission import BrandPolicy
from publisher.domain.changes import Accepted, Change, Claim, Timing
from publisher.domain.entries.campaign import By, Campaign, Contest, Terms, UseKind
from publisher.domain.entries.links import link_key
from publisher.domain.entries.model import Answer, CampaignEntry, Capture, EntryState, MediaRef
from publisher.domain.entries.rights import Saying
from publisher.domain.machine import step
from publisher.domain.model import Entry, Kind, Mode, State
from publisher.entry_ports import Announcement, Campaigns, EntryAnnouncer, File, MediaSource
from publisher.ports import Policies, Saving
from publisher.service.entries.admitting import Admitting
from publisher.service.entries.answers import Answers
from publisher.service.entries.asking import Asking
from publisher.service.entries.desk import Desk
from publisher.service.entries.fetching import Fetching
from publisher.service.entries.flagging import Flagging
from publisher.service.entries.inviting import Inviting
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.ordering import Ordering
from publisher.service.entries.removing import Removals
from publisher.service.entries.seen import Consent, Entering, Reported, RightsWanted, Seen
from publisher.service.entries.sweep import EntrySweep
from publisher.service.entries.taking import Taking
from publisher.service.entries.teller import Teller

DAY = 86_400.0
BERLIN = ZoneInfo("Europe/Berlin")

TERMS = Terms(
    version=3,
    terms={"default": "You let Acme show this picture.", "de": "Acme darf das Bild zeigen."},
    automatic=True,
    by=By.REPLY,
    request={"default": "May we? #yesacme", "de": "Dürfen wir? #yesacme"},
    reminder={"default": "Still: may we?"},
    answer_seconds=7 * DAY,
    reminder_seconds=2 * DAY,
    granted_seconds=365 * DAY,
    uses=(UseKind.GALLERY, UseKind.POST),
)


class SetCampaigns(Campaigns):
    """One campaign; tests set another."""

    def __init__(self, now: float) -> None:
        self.now: Campaign | None = Campaign(
            "b", "summer", "Summer", 2, Mode.AUTO, BERLIN, now - DAY, now + 30 * DAY, terms=TERMS, contest=Contest(1, 1, 0, True)
        )
        self.words = ""

    def change(self, **fields: Any) -> None:
        assert self.now is not None
        self.now = replace(self.now, **fields)

    def terms(self, **fields: Any) -> None:
        self.change(terms=replace(TERMS, **fields))

    @override
    def campaign(self, brand: str, campaign: str) -> Campaign | None:
        return self.now if (brand, campaign) == ("b", "summer") else None

    @override
    def disclosure(self, brand: str, language: str) -> str:
        return self.words


class SetPolicies(Policies):
    def __init__(self) -> None:
        self.now = BrandPolicy()

    @override
    def policy(self, brand: str) -> BrandPolicy:
        return self.now


class Heard(EntryAnnouncer):
    def __init__(self) -> None:
        self.told: list[Announcement] = []
        self.away = False

    @override
    async def announce(self, announcements: Sequence[Announcement]) -> None:
        if self.away:
            raise Transient("away")
        self.told += announcements

    @property
    def states(self) -> list[str]:
        return [one.line.state.value for one in self.told]


class Servers(MediaSource):
    """What stands at each address; what does not is gone for good."""

    def __init__(self) -> None:
        self.files: dict[str, File | Exception] = {}
        self.asked: list[str] = []

    @override
    async def fetch(self, url: str) -> File:
        self.asked.append(url)
        found = self.files.get(url, Invalid("not_there", "the server answered 404"))
        if isinstance(found, Exception):
            raise found
        return found


class Stage:
    """Everything of the role."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        now = self.clock.now().timestamp()
        self.entries, self.places, self.limits = MemoryEntries(), MemoryPlaces(), MemoryLimits()
        self.ledger, self.threads, self.media = MemoryLedger(), MemoryThreads(), MemoryMedia()
        self.campaigns, self.policies, self.servers, self.heard = SetCampaigns(now), SetPolicies(), Servers(), Heard()
        self.build()

    def build(self) -> None:
        """Build the parts, as a restart does: what was only in memory is gone."""
        entries, clock, campaigns = self.entries, self.clock, self.campaigns
        self.teller = Teller(entries=entries, announcer=self.heard, failpoint=lambda _: None)
        self.moves = EntryMoves(entries, clock, self.teller.wake)
        self.kinds = {"facebook": frozenset({Kind.REPLY, Kind.PRIVATE_REPLY, Kind.DELETE, Kind.FEATURE})}
        ordering = Ordering(self.ledger, self.policies, self.kinds, clock)
        self.inviting = Inviting("https://antiphon.example", [link_key(b"k" * 32)], clock)
        self.asking = Asking(entries, campaigns, ordering, self.inviting, self.moves, clock)
        removals = Removals(ordering, self.moves)
        self.taking = Taking(
            entries=entries, threads=self.threads, campaigns=campaigns, policies=self.policies,
            admitting=Admitting(self.limits, self.places), flagging=Flagging(entries, MinHashLookalikes()), asking=self.asking,
            answers=Answers(entries, self.moves, removals), removals=removals, moves=self.moves, clock=clock,
            failpoint=lambda _: None,
        )  # fmt: skip
        fetching = Fetching(entries, self.servers, self.media, self.moves, clock)
        self.sweep = EntrySweep(
            entries=entries, advance=self.taking.advance, asking=self.asking, fetching=fetching, moves=self.moves, clock=clock,
            interval=1.0,
        )  # fmt: skip
        self.desk = Desk(entries, self.asking, ordering, removals, self.moves, clock)

    @property
    def now(self) -> float:
        return self.clock.now().timestamp()

    def capture(self, name: str, author: str = "u1", **more: Any) -> Capture:
        made = Capture(
            entry_id=name.encode().hex().zfill(64), event_id="e-" + name, brand="b", campaign="summer", campaign_version=2,
            platform="facebook", account="p", channel="main", object="o-" + name, parent="post", root="post", author=author,
            handle=author, event_kind="comment", language="en", text=name, media=(), hashtags=("acme",), friends=(),
            trigger="hashtag", eligible=True, reason="", detail="", event_time=self.now, received_time=self.now,
        )  # fmt: skip
        return replace(made, **more)

    async def enter(self, name: str, author: str = "u1", mode: Mode = Mode.AUTO, **more: Any) -> CampaignEntry:
        """One decision with an entry."""
        capture = self.capture(name, author, **more)
        await self.taking.take([seen(capture, entering=(Entering(capture, mode),))])
        return self.entry(name)

    def entry(self, name: str) -> CampaignEntry:
        return self.entries.entries[name.encode().hex().zfill(64)]

    def state(self, name: str) -> EntryState:
        return self.entry(name).state

    async def delete(self, name: str, **more: Any) -> None:
        await self.taking.take([seen(self.capture(name, **more), deleted=True)])

    async def say(self, name: str, answer: str, **more: Any) -> None:
        """The author answers under the entry."""
        capture = self.entry(name).capture
        saying = Saying("facebook", capture.author, "reply", "answer-to-" + name, capture.object, "post")
        consent = Consent("summer", Answer(answer), "#words")
        heard = replace(seen(capture, consents=(consent,), saying=saying), text_sha256="a" * 64)
        await self.taking.take([replace(heard, **more)])

    async def want(self, name: str) -> None:
        await self.taking.take([seen(self.capture(name), wanted=(RightsWanted("summer", Mode.AUTO),))])

    def order(self, action_id: str) -> Entry:
        """What the one-effect ledger holds of an action."""
        return self.ledger.entries[action_id]

    def requests(self) -> list[Entry]:
        return [one for one in self.ledger.entries.values() if one.order.kind in {Kind.REPLY, Kind.PRIVATE_REPLY}]

    async def send(self, action_id: str, *changes: Change) -> None:
        """Play the worker: carry an order out and report it; without changes it is posted."""
        for change in changes or (Claim("w"), Accepted(1, f"posted-{action_id[:8]}")):
            before = self.order(action_id)
            position = step(before.position, change, self.now, Timing())
            assert position is not None, change
            assert list(await self.ledger.save([Saving(before, Entry(before.order, position))])) == [True]
        at = self.order(action_id)
        await self.report(action_id, at.position.state)

    async def report(self, action_id: str, state: State) -> None:
        at = self.order(action_id)
        await self.taking.take([Reported(action_id, at.order.kind, state, at.position.platform_id, at.position.reason)])

    async def asked(self, name: str, **more: Any) -> CampaignEntry:
        """An entry whose request stands on the platform."""
        entry = await self.enter(name, **more)
        assert entry.standing.asked is not None
        await self.send(entry.standing.asked.action_id)
        return self.entry(name)

    async def granted(self, name: str, **more: Any) -> CampaignEntry:
        """An entry with a stored picture and the author's yes."""
        url = f"https://cdn.example/{name}.png"
        self.servers.files[url] = File(name.encode().hex().zfill(64), "image/png", b"png of " + name.encode())
        await self.asked(name, media=(MediaRef("image", url),), **more)
        await self.sweep.once()
        await self.say(name, "granted")
        return self.entry(name)


def seen(capture: Capture, *, deleted: bool = False, saying: Saying | None = None, **parts: Any) -> Seen:
    own = Saying(capture.platform, capture.author, capture.event_kind, capture.object, capture.parent, capture.root)
    kept: dict[str, Any] = {"entering": (), "wanted": (), "consents": (), **parts}
    return Seen(capture.brand, saying or own, deleted, capture.event_time, "", **kept)


@pytest.fixture
def stage() -> Stage:
    return Stage()
