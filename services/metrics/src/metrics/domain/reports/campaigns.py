"""Campaigns: entries with their rights, and clicks and conversions with their attribution."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from metrics.domain.counts import Totals
from metrics.domain.formulas import position_based
from metrics.domain.hour import Hour, Rows, Table
from metrics.domain.reports.figures import Described, Part, part
from metrics.domain.reports.summary import split

PARTS = ("entries", "entrants", "referrals")
"""What the report reads of each hour."""

MICRO = 1_000_000
"""Values are kept in millionths."""

NO_CAMPAIGN = "none"
"""Where links belong to no campaign."""

LOOK_BACK_MS = 30 * 86_400_000
"""Clicks of the same person that can have led to a conversion: those of the 30 days before it, as ad platforms count at most."""


@dataclass(frozen=True, slots=True)
class Entries(Described):
    """Entries of the period (by the entry's own time), at the state of now."""

    total: int
    people: int
    """Different people among them, where the platform shows the author."""
    by_state: Totals
    """State of now → entries."""
    ineligible_reasons: Totals
    """Reason → entries that are ineligible now."""
    flags: Totals
    """Flag → entries that carry it."""
    eligible: Part
    """Entries that were ever eligible, of all."""
    rights_requested: Part
    """Entries whose rights were ever asked for, of those ever eligible."""
    granted: Part
    """Entries whose rights were ever granted, of those asked for."""
    featured: Part
    """Entries ever featured, of those ever granted."""
    revoked: Part
    """Entries whose rights were withdrawn, of those ever granted."""


@dataclass(frozen=True, slots=True)
class Credit(Described):
    """What conversions are attributed to."""

    conversions: float
    """Conversions; fractions where several clicks share one."""
    value: dict[str, float]
    """Currency → value."""


@dataclass(frozen=True, slots=True)
class Source(Described):
    """A tracked link, or an answer that carried one."""

    link: str
    action_id: str
    """The answer that carried the link; empty: published by hand."""
    campaign: str
    clicks: int
    last_touch: Credit
    """Each conversion to the last click before it."""
    position_based: Credit
    """Each conversion 40 % to the first click, 40 % to the last, 20 % evenly to those between; evenly to two."""


@dataclass(frozen=True, slots=True)
class Campaign(Described):
    """One campaign; `none`: links that belong to none."""

    campaign: str
    entries: Entries
    clicks: int
    last_touch: Credit
    position_based: Credit


@dataclass(frozen=True, slots=True)
class Campaigns(Described):
    """All campaigns with something in the period. Clicks count by their own time; a conversion looks back 30 days within the
    period.
    """

    campaigns: list[Campaign]
    sources: list[Source]
    """The tracked links and answers, those with most clicks first."""
    conversions: int
    """Conversions reported."""
    conversions_unattributed: int
    """Those that name no link and no click that is known here; they are credited to nothing."""
    conversions_of_unknown_people: int
    """Those whose person is unknown: the click that they name is their only one, so that both attributions agree."""


_Touch = tuple[str, str, str]
"""Link, action and campaign."""


@dataclass(slots=True)
class _Sum:
    conversions: Fraction
    value: dict[str, Fraction]

    def add(self, share: Fraction, value: int, currency: str) -> None:
        self.conversions += share
        if value:
            self.value[currency] = self.value.get(currency, Fraction(0)) + share * value

    def credit(self) -> Credit:
        return Credit(float(self.conversions), {name: float(self.value[name] / MICRO) for name in sorted(self.value)})


class _Book:
    """Clicks and credits by touch."""

    def __init__(self, rows: Rows) -> None:
        self._clicks = [row for row in rows if row[0] == "click"]
        self._conversions = [row for row in rows if row[0] == "conversion"]
        self._by_id = {row[1]: row for row in self._clicks}
        self._by_person: dict[object, Rows] = {}
        for row in sorted(self._clicks, key=lambda row: (row[2], row[1])):
            if row[3] is not None:
                self._by_person.setdefault(row[3], []).append(row)
        self.clicks: dict[_Touch, int] = {}
        self.last: dict[_Touch, _Sum] = {}
        self.shared: dict[_Touch, _Sum] = {}
        self.unattributed = 0
        for row in self._clicks:
            self.clicks[_touch(row)] = self.clicks.get(_touch(row), 0) + 1
        for row in self._conversions:
            self._credit(row)

    @property
    def conversions(self) -> int:
        return len(self._conversions)

    @property
    def unknown_people(self) -> int:
        return sum(row[3] is None for row in self._conversions)

    def _credit(self, conversion: list[str | int | None]) -> None:
        path = self._path(conversion)
        if not path:
            self.unattributed += 1
            return
        value, currency = int(conversion[7] or 0), str(conversion[8])
        _of(self.last, path[-1]).add(Fraction(1), value, currency)
        for touch, share in zip(path, position_based(len(path)), strict=True):
            _of(self.shared, touch).add(Fraction(*share), value, currency)

    def _path(self, conversion: list[str | int | None]) -> list[_Touch]:
        """Return the touches before a conversion, in order: the person's clicks, else the click or the link that it names."""
        moment = int(conversion[2] or 0)
        clicks = [
            row
            for row in self._by_person.get(conversion[3], [])
            if conversion[3] is not None and moment - LOOK_BACK_MS <= int(row[2] or 0) <= moment
        ]
        told = self._by_id.get(conversion[6])
        if told is not None:
            clicks = [*(row for row in clicks if row[1] != told[1]), told]  # what is reported as the last click is the last
        if clicks:
            return [_touch(row) for row in clicks]
        return [_touch(conversion)] if conversion[4] or conversion[5] else []


def campaigns(hours: Sequence[Hour]) -> Campaigns:
    """Return the report of a period."""
    families = split(hours, "entries")
    book = _Book([row for hour in hours for row in hour.referrals])
    touches = sorted(book.clicks.keys() | book.last.keys() | book.shared.keys())
    names = {str(key[0]) for table in families.values() for key in table} | {touch[2] for touch in touches}
    sources = [
        Source(*touch[:2], touch[2], book.clicks.get(touch, 0), _credit(book.last, [touch]), _credit(book.shared, [touch]))
        for touch in touches
    ]
    return Campaigns(
        campaigns=[_campaign(name, hours, families, book, [t for t in touches if t[2] == name]) for name in sorted(names)],
        sources=sorted(sources, key=lambda source: (-source.clicks, source.link, source.action_id)),
        conversions=book.conversions,
        conversions_unattributed=book.unattributed,
        conversions_of_unknown_people=book.unknown_people,
    )


def _campaign(name: str, hours: Sequence[Hour], families: dict[str, Table], book: _Book, touches: Sequence[_Touch]) -> Campaign:
    return Campaign(
        campaign=name,
        entries=_entries(name, hours, families),
        clicks=sum(book.clicks.get(touch, 0) for touch in touches),
        last_touch=_credit(book.last, touches),
        position_based=_credit(book.shared, touches),
    )


def _entries(name: str, hours: Sequence[Hour], families: dict[str, Table]) -> Entries:
    by_state: Totals = {}
    reasons: Totals = {}
    for (campaign, _platform, state, reason), [count] in sorted(families.get("now", {}).items()):
        if campaign == name:
            by_state[str(state)] = by_state.get(str(state), 0) + count
            if state == "ineligible":
                reasons[str(reason)] = reasons.get(str(reason), 0) + count
    total = sum(by_state.values())
    reached = {str(key[1]): values[0] for key, values in families.get("reached", {}).items() if key[0] == name}
    eligible, asked, granted = (reached.get(state, 0) for state in ("eligible", "rights_requested", "granted"))
    people: set[int] = set()
    for hour in hours:
        people.update(hour.entrants.get(name, ()))
    return Entries(
        total=total,
        people=len(people),
        by_state=dict(sorted(by_state.items())),
        ineligible_reasons=reasons,
        flags={str(key[1]): values[0] for key, values in sorted(families.get("flag", {}).items()) if key[0] == name},
        eligible=_of_those(eligible, total),
        rights_requested=_of_those(asked, eligible),
        granted=_of_those(granted, asked),
        featured=_of_those(reached.get("featured", 0), granted),
        revoked=_of_those(reached.get("revoked", 0), granted),
    )


def _of_those(count: int, whole: int) -> Part:
    # Rights can be granted by the form without a request: then there is no share to be told.
    return part(count, whole) if count <= whole else Part(count, None, None, None)


def _touch(row: list[str | int | None]) -> _Touch:
    return str(row[4]), str(row[5]), str(row[9]).partition(" ")[0] or NO_CAMPAIGN


def _of(sums: dict[_Touch, _Sum], touch: _Touch) -> _Sum:
    return sums.setdefault(touch, _Sum(Fraction(0), {}))


def _credit(sums: dict[_Touch, _Sum], touches: Iterable[_Touch]) -> Credit:
    whole = _Sum(Fraction(0), {})
    for touch in touches:
        if found := sums.get(touch):
            whole.conversions += found.conversions
            for currency, value in found.value.items():
                whole.value[currency] = whole.value.get(currency, Fraction(0)) + value
    return whole.credit()
