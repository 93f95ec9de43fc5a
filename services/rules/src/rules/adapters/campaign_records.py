"""A campaign's document → its record on the configuration topic, defaults filled in."""

from collections.abc import Iterator

import orjson
from google.protobuf.timestamp_pb2 import Timestamp

from antiphon.v1 import config_pb2, decision_pb2, event_pb2
from rules.adapters.consent_phrases import default_phrases
from rules.adapters.programmes import ASKED_IN_WORDS
from rules.adapters.schema.campaign import CampaignDocument, RightsPart, parse_campaign
from rules.adapters.schema.fields import seconds
from rules.entities import Campaign


def campaign_record(campaign: Campaign) -> config_pb2.CampaignConfig:
    """Return the record. A deleted campaign's holds only what names it."""
    if campaign.deleted:
        return config_pb2.CampaignConfig(brand=campaign.brand, campaign=campaign.campaign, deleted=True)
    document = parse_campaign(campaign.document)
    return config_pb2.CampaignConfig(
        brand=campaign.brand,
        campaign=campaign.campaign,
        name=document.name,
        version=campaign.latest_version,
        state=config_pb2.CampaignState.Value(f"CAMPAIGN_STATE_{campaign.state.upper()}"),
        mode=decision_pb2.Mode.Value(f"MODE_{document.mode.upper()}"),
        timezone=document.timezone,
        start_time=Timestamp(seconds=int(document.start_seconds)),
        end_time=Timestamp(seconds=int(document.end_seconds)) if document.end is not None else None,
        hashtags=document.hashtags,
        mentions=document.mentions,
        form=document.form,
        platforms=[event_pb2.Platform.Value(f"PLATFORM_{name.upper()}") for name in document.platforms],
        channels=document.channels,
        kinds=[event_pb2.EventKind.Value(f"EVENT_KIND_{name.upper()}") for name in document.kinds],
        eligibility=_eligibility(document),
        caps=config_pb2.CampaignCaps(**document.caps.model_dump()),
        rights=_rights(campaign, document.rights) if document.rights is not None else None,
        contest=config_pb2.ContestTerms(**document.contest.model_dump()) if document.contest is not None else None,
    )


def _eligibility(document: CampaignDocument) -> bytes:
    if document.eligibility is None:
        return b""
    content = document.eligibility.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)


def _rights(campaign: Campaign, rights: RightsPart) -> config_pb2.RightsTerms:
    return config_pb2.RightsTerms(
        version=campaign.rights_version,
        terms=rights.terms,
        automatic=rights.automatic,
        by=rights.by,
        request=rights.request or {},
        reminder=rights.reminder or {},
        answer_seconds=int(seconds(rights.answer_within)),
        reminder_seconds=int(seconds(rights.remind_after)) if rights.remind_after else 0,
        granted_seconds=int(seconds(rights.granted_for)) if rights.granted_for else 0,
        phrases=_phrases(campaign.brand, rights),
        uses=rights.uses,
    )


def _phrases(brand: str, rights: RightsPart) -> Iterator[config_pb2.ConsentPhrases]:
    if rights.by not in ASKED_IN_WORDS:
        return
    for part in rights.phrases:
        yield config_pb2.ConsentPhrases(**part.model_dump())
    for language, phrases in default_phrases(brand).items() if not rights.phrases else ():
        yield config_pb2.ConsentPhrases(language=language, **phrases)
