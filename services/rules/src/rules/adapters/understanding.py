"""What texts are understood to say: by the built-in models, or by a brand's own model with the built-in one behind it."""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Literal

import orjson
from pydantic import BaseModel, Field, ValidationError

from antiphon.clock import Clock
from antiphon.egress import Egress
from antiphon.errors import Invalid, Transient
from antiphon.seal import Sealer, SealError
from rules.domain.event import NOTHING_UNDERSTOOD, Event, Understanding
from rules.domain.model import BrandSettings, FlagTerms, RemoteModel
from rules.entities import understanding_owner
from understanding import Understander

log = logging.getLogger(__name__)

REST_SECONDS = 10.0
"""For so long a brand's own model is not asked after it failed: each failure costs a batch its whole time budget."""

MOST_TEXTS = 200
"""Texts in one call to a brand's model; a full batch of events is several calls."""

Source = Literal["local", "remote", "fallback"]
SOURCES: tuple[Source, ...] = ("local", "remote", "fallback")


@lru_cache(maxsize=256)
def _understander(terms: tuple[FlagTerms, ...]) -> Understander:
    lexicon: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for own in terms:
        lexicon[own.flag].setdefault(own.language, []).extend(own.terms)
    return Understander(lexicon)


def understand(
    text: str, language: str = "", *, languages: Sequence[str] = (), flag_terms: tuple[FlagTerms, ...] = ()
) -> Understanding:
    """Return what the built-in models make of a text; `language` fixes it, `languages` are likely ones."""
    if not text:
        return NOTHING_UNDERSTOOD
    found = _understander(flag_terms).understand(text, language=language, languages=languages)
    known = bool(found.sentiment)
    return Understanding(
        language=found.language,
        language_confidence=found.language_confidence,
        sentiment=found.score if known else None,
        polarity=found.sentiment,
        sentiment_confidence=found.confidence,
        flags=frozenset(found.flags),
    )


class Answer(BaseModel):
    """What a brand's model says of one text."""

    language: str = Field("", max_length=35, pattern=r"^([a-z]{2,3}(-[a-z0-9]{2,8})*)?$")
    language_confidence: float = Field(0.0, ge=0, le=1)
    sentiment: Literal["negative", "neutral", "positive", ""] = ""
    score: float = Field(0.0, ge=-1, le=1)
    confidence: float = Field(0.0, ge=0, le=1)
    flags: list[Literal["complaint", "praise", "purchase_intent", "question", "spam"]] = Field([], max_length=5)

    def to_domain(self) -> Understanding:
        """Return what the evaluator reads."""
        return Understanding(
            language=self.language,
            language_confidence=self.language_confidence,
            sentiment=self.score if self.sentiment else None,
            polarity=self.sentiment,
            sentiment_confidence=self.confidence,
            flags=frozenset(self.flags),
        )


class Answers(BaseModel):
    """The answer of a brand's model, one result a text in the order asked."""

    results: list[Answer]


class Models:
    """Understands batches of events, each by the models of its brand."""

    def __init__(self, *, egress: Egress, sealer: Sealer, clock: Clock, counted: Callable[[Source, int], None]) -> None:
        self._egress, self._sealer, self._clock, self._counted = egress, sealer, clock, counted
        self._resting: dict[str, float] = {}

    async def understand(self, events: Iterable[Event], settings: Mapping[str, BrandSettings]) -> Sequence[Understanding]:
        """Return what each event's text says, in order; nothing for events of brands that are not in `settings`."""
        asked = list(events)
        understood = [NOTHING_UNDERSTOOD] * len(asked)
        remote: defaultdict[str, list[int]] = defaultdict(list)
        for place, event in enumerate(asked):
            brand = settings.get(event.brand)
            if brand is None or not event.text:
                continue
            if brand.remote is not None:
                remote[brand.brand].append(place)
            else:
                understood[place] = _locally(event, brand)
        self._counted("local", len(asked) - sum(map(len, remote.values())))
        for name, places in remote.items():
            for first in range(0, len(places), MOST_TEXTS):
                some = places[first : first + MOST_TEXTS]
                results = await self._remotely([asked[place] for place in some], settings[name])
                for place, result in zip(some, results, strict=True):
                    understood[place] = result
        return understood

    async def _remotely(self, events: Sequence[Event], brand: BrandSettings) -> Sequence[Understanding]:
        model = brand.remote
        if model is not None and self._clock.monotonic() >= self._resting.get(brand.brand, 0.0):
            try:
                results = await self._ask(model, events, brand)
            except (Invalid, Transient, SealError, ValidationError) as error:
                self._resting[brand.brand] = self._clock.monotonic() + REST_SECONDS
                log.warning("the model of %s did not answer, the built-in one does: %s", brand.brand, type(error).__name__)
            else:
                self._counted("remote", len(events))
                return results
        self._counted("fallback", len(events))
        return [_locally(event, brand) for event in events]

    async def _ask(self, model: RemoteModel, events: Sequence[Event], brand: BrandSettings) -> Sequence[Understanding]:
        headers = {"Content-Type": "application/json"}
        if model.sealed_token:
            token = self._sealer.open(model.sealed_token, understanding_owner(brand.brand))
            headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        body = orjson.dumps({"brand": brand.brand, "languages": brand.languages, "texts": [event.text for event in events]})
        reply = await self._egress.post(model.url, body=body, headers=headers, seconds=model.timeout)
        if reply.status != 200 or not reply.complete:
            raise Invalid("model", f"answered {reply.status}")
        results = Answers.model_validate_json(reply.body).results
        if len(results) != len(events):
            raise Invalid("model", f"{len(results)} results for {len(events)} texts")
        return [result.to_domain() for result in results]


def _locally(event: Event, brand: BrandSettings) -> Understanding:
    return understand(event.text, languages=brand.languages, flag_terms=brand.flag_terms)
