"""The campaigns, kept current from the configuration topic."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp
from typing_extensions import override

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import CampaignConfig, ConfigRecord, RightsTerms
from publisher.adapters import words
from publisher.domain.entries.campaign import By, Campaign, Caps, Contest, Terms, UseKind, in_language
from publisher.domain.model import Mode
from publisher.entry_ports import Campaigns

ANSWER_SECONDS = 604_800.0
"""A week for an answer where a campaign says nothing: people look at their comments on weekends."""

LATEST = 253_402_300_000.0
"""Unix seconds of the last moment that dates can express; what lies beyond is no end at all."""


class ConfigCampaigns(Campaigns):
    """One campaign a key; a lower generation never replaces a higher one."""

    def __init__(self) -> None:
        self._campaigns: dict[tuple[str, str], Campaign] = {}
        self._generations: dict[str, int] = {}
        self._disclosures: dict[str, dict[str, str]] = {}

    @override
    def campaign(self, brand: str, campaign: str) -> Campaign | None:
        return self._campaigns.get((brand, campaign))

    @override
    def disclosure(self, brand: str, language: str) -> str:
        return in_language(self._disclosures.get(brand, {}), language)

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns campaigns."""
        for change in changes:
            if change.record is None:
                self._remove(change.key)
            elif self._newer(change.key, change.record.generation):
                self._take(change.record)

    def _take(self, record: ConfigRecord) -> None:
        entity, config = record.WhichOneof("entity"), record.campaign
        if entity == "brand":
            self._disclosures[record.brand.brand] = dict(record.brand.disclosures)
        elif entity == "campaign" and config.deleted:
            self._campaigns.pop((config.brand, config.campaign), None)
        elif entity == "campaign":
            self._campaigns[config.brand, config.campaign] = campaign_of(config)

    def _newer(self, key: str, generation: int) -> bool:
        if generation < self._generations.get(key, 0):
            return False
        self._generations[key] = generation
        return True

    def _remove(self, key: str) -> None:
        kind, _, rest = key.partition("/")
        brand, _, name = rest.partition("/")
        if kind == "campaign":
            self._campaigns.pop((brand, name), None)


def campaign_of(config: CampaignConfig) -> Campaign:
    """Return a campaign as the domain knows it."""
    mode = words.MODES.get(config.mode, "")
    contest = config.contest
    return Campaign(
        brand=config.brand,
        campaign=config.campaign,
        name=config.name or config.campaign,
        version=config.version,
        # A mode that this release does not know may be stricter than any it knows.
        mode=Mode(mode) if mode in set(Mode) else Mode.APPROVAL if config.mode else Mode.AUTO,
        zone=_zone(config.timezone),
        start=_seconds(config.start_time),
        end=min(_seconds(config.end_time), LATEST),
        caps=Caps(config.caps.per_person, config.caps.per_person_day, config.caps.total),
        terms=_terms(config.rights) if config.HasField("rights") else None,
        contest=Contest(contest.winners, contest.alternates, contest.unique_friends, contest.exclude_flagged, contest.every_entry)
        if config.HasField("contest")
        else None,
    )


def _terms(rights: RightsTerms) -> Terms:
    return Terms(
        version=rights.version,
        terms=dict(rights.terms),
        automatic=rights.automatic,
        by=By(rights.by) if rights.by in set(By) else By.REPLY,
        request=dict(rights.request),
        reminder=dict(rights.reminder),
        answer_seconds=float(rights.answer_seconds) or ANSWER_SECONDS,
        reminder_seconds=float(rights.reminder_seconds),
        granted_seconds=float(rights.granted_seconds),
        uses=tuple(UseKind(use) for use in rights.uses if use in set(UseKind)),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def _seconds(stamp: Timestamp) -> float:
    return stamp.seconds + stamp.nanos / 1e9
