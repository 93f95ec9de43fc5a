"""Records of topics, links and campaigns → what the evaluator reads; and the URLs of tracked links."""

from functools import partial

import orjson

from antiphon.links import PATH, LinkSettings, make_code, parse_link_keys
from antiphon.times import from_timestamp
from antiphon.v1 import config_pb2, decision_pb2, event_pb2
from rules.adapters.schema.conditions import ConditionPart
from rules.domain.campaign import Campaign, CampaignState, ConsentPhrases, Topic
from rules.domain.decision import Mode
from rules.domain.leaves import Condition
from rules.domain.matching.text import fold
from rules.domain.programme import Link, Tracked

ASKED_IN_WORDS = frozenset({"reply", "private_reply"})
"""Ways of asking for rights that people answer in words."""


def to_topic(topic: config_pb2.TopicConfig) -> Topic:
    """Return a topic."""
    return Topic(f"{topic.kind}:{topic.topic}", tuple(topic.terms))


def to_link(link: config_pb2.LinkConfig) -> Link:
    """Return a link."""
    return Link(link.link, link.url, link.campaign)


def to_campaign(config: config_pb2.CampaignConfig) -> Campaign:
    """Return a campaign. Raises ValueError for conditions that this release cannot read."""
    rights = config.rights if config.HasField("rights") else None
    return Campaign(
        campaign=config.campaign,
        version=config.version,
        name=config.name,
        state=CampaignState(_word(config_pb2.CampaignState.Name(config.state), "CAMPAIGN_STATE_")),
        mode=Mode(_word(decision_pb2.Mode.Name(config.mode), "MODE_")),
        start=_seconds(config.start_time) if config.HasField("start_time") else 0.0,
        end=_seconds(config.end_time) if config.HasField("end_time") else 0.0,
        hashtags=frozenset(map(fold, config.hashtags)),
        mentions=frozenset(map(fold, config.mentions)),
        form=config.form,
        platforms=frozenset(_word(event_pb2.Platform.Name(number), "PLATFORM_") for number in config.platforms),
        channels=frozenset(config.channels),
        kinds=frozenset(_word(event_pb2.EventKind.Name(number), "EVENT_KIND_") for number in config.kinds),
        eligibility=_condition(config.eligibility),
        unique_friends=config.contest.unique_friends,
        asks_rights=rights is not None,
        phrases=_phrases(rights) if rights is not None and rights.by in ASKED_IN_WORDS else None,
    )


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()


def _seconds(stamp: object) -> float:
    return from_timestamp(stamp).timestamp()  # type: ignore[arg-type]  # the generated type is not the runtime's


def _condition(document: bytes) -> Condition | None:
    return ConditionPart.model_validate(orjson.loads(document)).to_domain() if document else None


def _phrases(rights: config_pb2.RightsTerms) -> ConsentPhrases:
    """Return the phrases of all languages together: what is written in answer is too short to tell its language."""
    return ConsentPhrases(
        granted=_distinct(rights, "granted"), refused=_distinct(rights, "refused"), withdrawn=_distinct(rights, "withdrawn")
    )


def _distinct(rights: config_pb2.RightsTerms, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(phrase for phrases in rights.phrases for phrase in getattr(phrases, name)))


def tracked_links(settings: LinkSettings) -> Tracked | None:
    """Return what makes tracked URLs, None where they are not set up. It can be sent to another process."""
    keys = parse_link_keys(settings.link_key)
    if not keys or not settings.link_base_url:
        return None
    return partial(_tracked, keys[0], settings.link_base_url)


def _tracked(key: bytes, base: str, brand: str, link: str, action_id: str) -> str:
    return f"{base}{PATH}{make_code(key, brand=brand, link=link, action_id=action_id)}"
