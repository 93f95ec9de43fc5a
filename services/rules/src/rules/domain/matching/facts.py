"""What conditions ask of an event besides its words, and what they found, in words."""

from collections.abc import Mapping, Sequence

from rules.domain.decision import CobraLevel, Reason
from rules.domain.event import Event, Understanding
from rules.domain.leaves import (
    AuthorLeaf,
    CobraLeaf,
    FactLeaf,
    HasLeaf,
    LanguageLeaf,
    RatingLeaf,
    SentimentLeaf,
    ThreadLeaf,
)
from rules.domain.matching.features import has_feature
from rules.domain.matching.vocabulary import Forms, forms_of
from rules.domain.model import BrandSettings

POLARITIES = ("negative", "neutral", "positive")
"""In rising order."""

COBRA_LEVELS = (CobraLevel.CONSUMING, CobraLevel.CONTRIBUTING, CobraLevel.CREATING)
"""In rising order."""

_REASONS: Mapping[type[FactLeaf], Reason] = {
    LanguageLeaf: Reason.LANGUAGE,
    SentimentLeaf: Reason.SENTIMENT,
    AuthorLeaf: Reason.AUTHOR,
    RatingLeaf: Reason.RATING,
    CobraLeaf: Reason.COBRA,
    HasLeaf: Reason.MEDIA,
    ThreadLeaf: Reason.THREAD,
}

ON_POST, IN_THREAD = 1, 2
"""Depths that platforms tell apart: directly on the post, and below such a comment. A post itself is 0."""


class Facts:
    """One event as conditions on facts see it. What costs anything is found out when it is first asked for."""

    __slots__ = ("_features", "_forms", "cobra", "event", "first_contact", "settings", "understanding")

    def __init__(
        self, event: Event, understanding: Understanding, settings: BrandSettings, *, cobra: CobraLevel, first_contact: bool
    ) -> None:
        self.event = event
        self.understanding = understanding
        self.settings = settings
        self.cobra = cobra
        self.first_contact = first_contact
        self._features: dict[str, bool] | None = None
        self._forms: Forms | None = None

    @property
    def forms(self) -> Forms:
        """Return the text as terms are looked for in it."""
        if self._forms is None:
            self._forms = forms_of(self.event.text)
        return self._forms

    def has(self, feature: str) -> bool:
        """Return whether the event has a feature (see `HasLeaf`)."""
        if self._features is None:
            self._features = {}
        if feature not in self._features:
            self._features[feature] = has_feature(feature, self.event, self.understanding)
        return self._features[feature]

    def in_segment(self, segment: str) -> bool:
        """Return whether the author is in a segment of the brand."""
        return f"{self.event.platform}:{self.event.author_id}" in self.settings.segments.get(segment, ())

    @property
    def depth(self) -> int:
        """Return how deep the event stands: 0 a post or what stands alone, 1 on a post, 2 below a comment, however deep."""
        event = self.event
        if event.kind == "reply" or event.parent not in {"", event.root}:
            return IN_THREAD
        return ON_POST if event.kind == "comment" or event.root not in {"", event.object} else 0


def holds(leaf: FactLeaf, facts: Facts) -> bool:
    """Return whether the leaf holds of the event."""
    match leaf:
        case LanguageLeaf():
            return _is_language(leaf, facts.understanding.language)
        case SentimentLeaf():
            return _is_sentiment(leaf, facts.understanding)
        case AuthorLeaf():
            return not _unmet(leaf, facts)
        case RatingLeaf():
            rating = facts.event.rating
            return rating is not None and _between(rating, leaf.at_least, leaf.at_most)
        case CobraLeaf():
            return _is_ranked(COBRA_LEVELS, facts.cobra, leaf.at_least, leaf.at_most)
        case HasLeaf():
            return all(map(facts.has, leaf.features))
        case ThreadLeaf():
            return _between(facts.depth, leaf.depth_at_least, leaf.depth_at_most)


def reason_of(leaf: FactLeaf) -> Reason:
    """Return the reason of a rule that does not act because of such a leaf."""
    return _REASONS[type(leaf)]


def compared(leaf: FactLeaf, facts: Facts, *, negated: bool = False) -> str:
    """Return the values that the leaf compares, in words: "language 'fr', wants de or en"; `negated`: what must not be."""
    value, wish = _words(leaf, facts, negated=negated)
    return f"{value}, {'but not ' if negated else ''}{wish}" if wish else value


def _is_language(leaf: LanguageLeaf, language: str) -> bool:
    tag = language.lower().replace("_", "-")
    while tag and tag not in leaf.any:
        tag = tag.rpartition("-")[0]
    return bool(tag)


def _is_sentiment(leaf: SentimentLeaf, understood: Understanding) -> bool:
    if (leaf.at_least or leaf.at_most) and not _is_ranked(POLARITIES, understood.polarity, leaf.at_least, leaf.at_most):
        return False
    if leaf.below is None and leaf.above is None:
        return True
    score = understood.sentiment
    if score is None:
        return False
    return (leaf.below is None or score < leaf.below) and (leaf.above is None or score > leaf.above)


def _is_ranked(order: Sequence[str], value: str, at_least: str, at_most: str) -> bool:
    """Return whether the value stands between two others in the order; a bound that is not in it bounds nothing."""
    if value not in order:
        return False
    place = order.index(value)
    return (at_least not in order or place >= order.index(at_least)) and (at_most not in order or place <= order.index(at_most))


def _between(value: float, at_least: float | None, at_most: float | None) -> bool:
    return (at_least is None or value >= at_least) and (at_most is None or value <= at_most)


def _unmet(leaf: AuthorLeaf, facts: Facts) -> list[tuple[str, str]]:
    """Return (value, wish) of every part of the leaf that does not hold."""
    return [(value, wish) for is_met, value, wish in _author_parts(leaf, facts) if not is_met]


def _author_parts(leaf: AuthorLeaf, facts: Facts) -> list[tuple[bool, str, str]]:
    """Return (whether it holds, value, wish) of every part that the leaf gives."""
    event = facts.event
    parts: list[tuple[bool, str, str]] = []
    if leaf.followers_at_least is not None or leaf.followers_at_most is not None:
        known = event.followers is not None and _between(event.followers, leaf.followers_at_least, leaf.followers_at_most)
        value = "unknown" if event.followers is None else str(event.followers)
        parts.append((known, f"followers {value}", _bounds(leaf.followers_at_least, leaf.followers_at_most)))
    if leaf.verified is not None:
        told = {None: "unknown whether verified", True: "verified", False: "not verified"}
        parts.append((event.verified is leaf.verified, told[event.verified], told[leaf.verified]))
    if leaf.first_contact is not None:
        contact = {True: "first contact", False: "known from before"}
        parts.append((facts.first_contact is leaf.first_contact, contact[facts.first_contact], contact[leaf.first_contact]))
    return parts + _segment_parts(leaf, facts)


def _segment_parts(leaf: AuthorLeaf, facts: Facts) -> list[tuple[bool, str, str]]:
    parts = []
    if leaf.segments:
        inside = any(map(facts.in_segment, leaf.segments))
        parts.append((inside, _segments(leaf.segments, facts), f"in {_either(leaf.segments)}"))
    if leaf.not_in:
        outside = not any(map(facts.in_segment, leaf.not_in))
        parts.append((outside, _segments(leaf.not_in, facts), f"not in {_either(leaf.not_in)}"))
    return parts


def _segments(asked: frozenset[str], facts: Facts) -> str:
    inside = [segment for segment in sorted(asked) if facts.in_segment(segment)]
    return f"in segment {' and '.join(inside)}" if inside else "in no such segment"


def _words(leaf: FactLeaf, facts: Facts, *, negated: bool) -> tuple[str, str]:
    """Return the value and what is wished of it."""
    match leaf:
        case LanguageLeaf():
            language = facts.understanding.language
            return (
                f"language {language!r}" if language else "language unknown",
                f"{'' if negated else 'wants '}{_either(leaf.any)}",
            )
        case SentimentLeaf():
            return _sentiment_words(leaf, facts.understanding)
        case AuthorLeaf():
            parts = [(value, wish) for is_met, value, wish in _author_parts(leaf, facts) if is_met is negated]
            return "; ".join(f"{value}, {'but not ' if negated else ''}{wish}" for value, wish in parts), ""
        case RatingLeaf():
            rating = facts.event.rating
            return "no rating" if rating is None else f"rating {rating:g}", _bounds(leaf.at_least, leaf.at_most)
        case CobraLeaf():
            levels = (None if level is CobraLevel.UNSPECIFIED else level for level in (leaf.at_least, leaf.at_most))
            return f"cobra {facts.cobra}", _bounds(*levels)
        case HasLeaf():
            present = [feature for feature in leaf.features if facts.has(feature)]
            return f"has {' and '.join(present) or 'none of it'}", f"{'' if negated else 'wants '}{' and '.join(leaf.features)}"
        case ThreadLeaf():
            return f"depth {facts.depth}", _bounds(leaf.depth_at_least, leaf.depth_at_most)


def _sentiment_words(leaf: SentimentLeaf, understood: Understanding) -> tuple[str, str]:
    told = [f"{understood.sentiment:.2f}"] if understood.sentiment is not None else []
    told += [understood.polarity] if understood.polarity else []
    wishes = [
        _bounds(leaf.at_least or None, leaf.at_most or None),
        *([f"below {leaf.below:g}"] if leaf.below is not None else []),
        *([f"above {leaf.above:g}"] if leaf.above is not None else []),
    ]
    return f"sentiment {' '.join(told) or 'unknown'}", " and ".join(filter(None, wishes))


def _bounds(at_least: object, at_most: object) -> str:
    if at_least is not None and at_least == at_most:
        return f"exactly {at_least}"
    parts = [f"at least {at_least}"] if at_least is not None else []
    return " and ".join([*parts, *([f"at most {at_most}"] if at_most is not None else [])])


def _either(names: frozenset[str]) -> str:
    return " or ".join(sorted(names))
