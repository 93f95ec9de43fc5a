"""What the benchmarks work on: rules, events and the records that configure an engine. Seeded, so that runs compare."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from antiphon import ids
from antiphon.times import to_timestamp
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord, RuleConfig
from antiphon.v1.decision_pb2 import Mode
from antiphon.v1.event_pb2 import Author, Event, EventKind, Platform, Verb

BRAND = "bench"
AUTHORS = 997
SEED = 20261122

_ANSWERS = ["Hello {{author.first_name|there}}, thank you!", "Thank you, {{author.first_name|dear}}."]

_FILLER = [
    "the",
    "flight",
    "was",
    "and",
    "what",
    "a",
    "day",
    "with",
    "people",
    "seat",
    "window",
    "again",
    "today",
    "crew",
    "gate",
    "very",
]

_SYLLABLES = ("ka", "lo", "mi", "tu", "ra", "ne", "so", "pi", "du", "ve", "zo", "ha", "fe", "gi", "bu", "wa")


def words(count: int) -> list[str]:
    """Return different made-up words of two to five syllables."""
    rng = random.Random(SEED)
    found: dict[str, None] = {}
    while len(found) < count:
        found.setdefault("".join(rng.choices(_SYLLABLES, k=rng.randint(2, 5))))
    return list(found)


def scaled(rule_count: int, sample: float) -> int:
    """Return how many rules a run of a share of the full size works with: all of them from half on."""
    return max(20, int(rule_count * min(1.0, sample * 2)))


def rules(count: int) -> list[dict[str, Any]]:
    """Return rules as marketers write them: one or two keywords, an exclusion, a limit, a reply with two variants."""
    vocabulary = words(2 * count + 50)
    return [
        {
            "id": f"rule-{number}",
            "name": f"Rule {number}",
            "state": "active",
            "priority": number % 100,
            "where": {"kinds": ["comment", "reply"]},
            "when": {"text": {"any": vocabulary[2 * number : 2 * number + 2], "none": [vocabulary[-1]], "as": "words"}},
            "limits": [{"per": "author", "at_most": 1000, "within": "1h"}],
            "then": [{"reply": {"text": {"default": _ANSWERS}}}],
        }
        for number in range(count)
    ]


def texts(count: int, rule_count: int, *, hit_share: float) -> list[str]:
    """Return comments of about a dozen words, of which `hit_share` name a keyword of a rule and the others none."""
    rng = random.Random(SEED + 1)
    keywords = words(2 * rule_count + 50)[: 2 * rule_count]
    made = []
    for _ in range(count):
        chosen = rng.choices(_FILLER, k=rng.randint(6, 18))
        if rng.random() < hit_share:
            chosen.insert(rng.randrange(len(chosen)), rng.choice(keywords))
        made.append(" ".join(chosen))
    return made


def event(number: int, text: str) -> Event:
    """Return a comment that happened now, by one of the authors."""
    now = to_timestamp(datetime.now(UTC))
    return Event(
        event_id=ids.event_id("facebook", "page", str(number), "create", ""),
        brand=BRAND,
        platform=Platform.PLATFORM_FACEBOOK,
        account="page",
        channel="main",
        kind=EventKind.EVENT_KIND_COMMENT,
        verb=Verb.VERB_CREATE,
        object=str(number),
        root="post",
        author=Author(id=f"author-{number % AUTHORS}", name="Anna Müller", handle="anna"),
        text=text,
        event_time=now,
        received_time=now,
        source="bench",
    )


def configuration(documents: Sequence[dict[str, Any]], *, brand: str = BRAND, active: bool = True) -> list[tuple[bytes, bytes]]:
    """Return the records of `rules.config.v1` that put the brand and its rules in force, or its rules out of it."""
    settings = ConfigRecord(generation=1, brand=BrandConfig(brand=brand, mode=Mode.MODE_AUTO))
    records = [(f"brand/{brand}/".encode(), settings.SerializeToString())]
    for document in documents:
        rule = RuleConfig(brand=brand, rule_id=document["id"], version=1, active=active, document=orjson.dumps(document))
        records.append((f"rule/{brand}/{document['id']}".encode(), ConfigRecord(generation=1, rule=rule).SerializeToString()))
    return records
