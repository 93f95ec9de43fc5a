"""eWOM: statements about the brand made available to many (Hennig-Thurau et al. 2004).

Hennig-Thurau, Gwinner, Walsh & Gremler 2004, Journal of Interactive Marketing 18(1).
Volume, valence, dispersion, exposure, share of voice and reviews, for the whole and by platform, kind, campaign and topic.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metrics.domain.formulas import entropy, median, variance
from metrics.domain.hour import SPEECH, Hour, Key, Rows, Table, add, each, together
from metrics.domain.levels import STATEMENTS
from metrics.domain.reports.figures import Described, Part, part, ratio

PARTS = ("speech", "topics", "campaigns", "reach", "reviews")
"""What the report reads of each hour."""

MILLI = 1_000
"""Sentiments are kept in thousandths."""

CENTI = 100
"""Ratings are kept in hundredths."""

ASSUMED_REACH = 1
"""For a statement on a platform where no reach at all is known in the period: its author alone."""

_POLARITIES = ("positive", "neutral", "negative")


@dataclass(frozen=True, slots=True)
class Exposure(Described):
    """How many may have seen the statements: sum of the reach that the platform reports, else of the authors' followers."""

    total: int
    """Known plus estimated."""
    known: int
    """Sum of known reaches."""
    estimated: int
    """Statements of unknown reach, each taken for its platform's median of the period (1 where the platform tells none)."""
    estimated_statements: Part
    """Statements of unknown reach, of all statements."""


@dataclass(frozen=True, slots=True)
class Speech(Described):
    """Statements: comments, replies, mentions, reviews, posts, story mentions and entries by people; new ones, in public."""

    volume: int
    """Statements."""
    positive: Part
    """Statements read as positive, of those with a polarity."""
    neutral: Part
    """Statements read as neutral, of those with a polarity."""
    negative: Part
    """Statements read as negative, of those with a polarity."""
    undetermined: int
    """Statements without a polarity; in no share."""
    valence: float | None
    """Mean sentiment from -1 to 1 of the statements that have one."""
    weighted_valence: float | None
    """Sum of exposure times sentiment, divided by the sum of exposure, over the statements that have a sentiment."""
    exposure: Exposure


@dataclass(frozen=True, slots=True)
class Voice(Described):
    """Share of voice against one competitor that the brand lists."""

    competitor: str
    """The competitor's id."""
    mentions: int
    """Statements on the brand's own channels that name the competitor."""
    share: float | None
    """The competitor's mentions, of all counted voices."""


@dataclass(frozen=True, slots=True)
class ShareOfVoice(Described):
    """The brand's mentions, of its own and its listed competitors' in the same source: the brand's channels and mentions.

    What is said of competitors elsewhere is not heard here, so that the brand's own share is an upper bound.
    """

    brand: int
    """Statements."""
    share: float | None
    """The brand's statements, divided by them plus all competitors' mentions; null where no competitor is listed or named."""
    competitors: list[Voice]


@dataclass(frozen=True, slots=True)
class Reviews(Described):
    """Reviews by the rating that each has at the end of the period. Stars are no 0-10 answer: no NPS is made of them."""

    reviews: int
    """Reviews written or edited in the period and not deleted in it."""
    rated: int
    """Those of them with a rating."""
    mean: float | None
    """Mean rating."""
    variance: float | None
    """Population variance of the ratings: their dispersion."""
    distribution: dict[str, int]
    """Rating → reviews."""
    edits: int
    """Edits in the period."""
    deleted: int
    """Reviews deleted in the period."""


@dataclass(frozen=True, slots=True)
class Ewom(Described):
    """Word of mouth in a period."""

    all: Speech
    by_platform: dict[str, Speech]
    by_kind: dict[str, Speech]
    by_campaign: dict[str, Speech]
    """A statement that belongs to two campaigns counts in both."""
    by_topic: dict[str, Speech]
    """Topics and products as `kind:id`; a statement that names two counts in both."""
    dispersion: float | None
    """Entropy of the volume over platforms, in bits: 0 where all is on one, log2(n) where n carry alike."""
    private_messages: int
    """Messages by people: private, so no word of mouth."""
    shares: int
    """Shares and reposts by people: they spread a statement and are none of their own."""
    share_of_voice: ShareOfVoice
    reviews: Reviews


def ewom(hours: Sequence[Hour]) -> Ewom:
    """Return the report of a period."""
    whole = _summed(hours, "speech")
    table = {key: values for key, values in whole.items() if key[2] in STATEMENTS}
    topics = _summed(hours, "topics")
    usual = usual_reach(hours)
    by_platform = _grouped(table, usual, 0)
    everything = _speech(list(table.items()), usual)
    return Ewom(
        all=everything,
        by_platform=by_platform,
        by_kind=_grouped(table, usual, 2),
        by_campaign=_grouped(_summed(hours, "campaigns"), usual, 2),
        by_topic=_grouped({key: values for key, values in topics.items() if not _competitor(key)}, usual, 2),
        dispersion=entropy(speech.volume for speech in by_platform.values()),
        private_messages=_events(whole, "message"),
        shares=_events(whole, "share"),
        share_of_voice=_voices(topics, everything.volume),
        reviews=reviews([row for hour in hours for row in hour.reviews]),
    )


def usual_reach(hours: Sequence[Hour]) -> dict[str, int]:
    """Return platform → median of the reaches known in the period."""
    platforms = {platform for hour in hours for platform in hour.reach}
    return {platform: median(Counter(together(hours, "reach", platform))) or 0 for platform in platforms}


def reviews(rows: Rows) -> Reviews:
    """Return what became of the reviews: each counts by its last change in the period."""
    latest: dict[object, list[str | int | None]] = {}
    for row in sorted(rows, key=lambda row: (row[1], row[2] == "delete", str(row[3]))):
        if row[3] is None and row[0] in latest and row[2] == "edit":
            row = [*row[:3], latest[row[0]][3], *row[4:]]  # an edit of the words alone leaves the rating
        latest[row[0]] = row
    standing = [row[3] for row in latest.values() if row[2] != "delete"]
    counts: dict[int, int] = {}
    for rating in standing:
        if rating is not None:
            counts[int(rating)] = counts.get(int(rating), 0) + 1
    rated, spread = sum(counts.values()), variance(counts)
    return Reviews(
        reviews=len(standing),
        rated=rated,
        mean=ratio(sum(rating * count for rating, count in counts.items()), rated * CENTI),
        variance=None if spread is None else spread / CENTI**2,
        distribution={f"{rating / CENTI:g}": counts[rating] for rating in sorted(counts)},
        edits=sum(row[2] == "edit" for row in rows),
        deleted=len(latest) - len(standing),
    )


def _summed(hours: Sequence[Hour], name: str) -> Table:
    whole: Table = {}
    for key, values in each(hours, name):
        add(whole, key, *values)
    return whole


def _events(table: Table, kind: str) -> int:
    return sum(values[0] for key, values in table.items() if key[2] == kind)


def _grouped(table: Table, usual: Mapping[str, int], position: int) -> dict[str, Speech]:
    """Return the statements for each word at a position of the keys."""
    groups: dict[str, list[tuple[Key, list[int]]]] = {}
    for key, values in table.items():
        groups.setdefault(str(key[position]), []).append((key, values))
    return {word: _speech(groups[word], usual) for word in sorted(groups)}


def _speech(rows: Sequence[tuple[Key, list[int]]], usual: Mapping[str, int]) -> Speech:
    sums = dict.fromkeys(SPEECH, 0)
    guessed = guessed_scored = guessed_sentiment = 0
    moods = dict.fromkeys(_POLARITIES, 0)
    for (platform, polarity, _), values in rows:
        for name, value in zip(SPEECH, values, strict=True):
            sums[name] += value
        reach = usual.get(str(platform), ASSUMED_REACH)
        guessed += reach * values[6]
        guessed_scored += reach * values[7]
        guessed_sentiment += reach * values[8]
        if polarity in moods:
            moods[str(polarity)] += values[0]
    determined = sum(moods.values())
    weight = sums["reach_scored"] + guessed_scored
    return Speech(
        volume=sums["events"],
        positive=part(moods["positive"], determined),
        neutral=part(moods["neutral"], determined),
        negative=part(moods["negative"], determined),
        undetermined=sums["events"] - determined,
        valence=ratio(sums["sentiment"], sums["scored"] * MILLI),
        weighted_valence=ratio(sums["reach_sentiment"] + guessed_sentiment, weight * MILLI),
        exposure=Exposure(sums["reach"] + guessed, sums["reach"], guessed, part(sums["unknown"], sums["events"])),
    )


def _competitor(key: Key) -> str:
    """Return the competitor's id if the topic of a key is one, else nothing."""
    kind, _, name = str(key[2]).partition(":")
    return name if kind == "competitor" else ""


def _voices(topics: Table, brand: int) -> ShareOfVoice:
    mentions: dict[str, int] = {}
    for key, values in topics.items():
        if name := _competitor(key):
            mentions[name] = mentions.get(name, 0) + values[0]
    others = sum(mentions.values())
    voices = [Voice(name, mentions[name], ratio(mentions[name], brand + others)) for name in sorted(mentions)]
    return ShareOfVoice(brand, ratio(brand, brand + others) if others else None, voices)
