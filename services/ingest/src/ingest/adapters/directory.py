"""Brands, tracked links and campaigns in memory, kept current from the configuration topic."""

import logging
from collections.abc import Callable, Sequence
from urllib.parse import quote

from antiphon.config_feed import Change
from antiphon.times import from_timestamp
from antiphon.v1 import config_pb2 as pb
from ingest.web import Campaign, Link

log = logging.getLogger(__name__)

_PLAIN = "!#$%&'()*+,/:;=?@[]~{}"
"""Left as they are in an address, besides letters, digits and `-._`; everything else is escaped, line ends above all."""

_KINDS = frozenset({"brand", "link", "campaign"})


class Directory:
    """What ingest knows of the configuration; `complete` tells whether it has seen all that was in force at the start."""

    def __init__(self) -> None:
        self.complete: Callable[[], bool] = lambda: True
        self._found: dict[tuple[str, str, str], Link | Campaign | str] = {}
        self._generations: dict[tuple[str, str, str], int] = {}

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns brands, links and campaigns from configuration changes."""
        for change in changes:
            kind, _, rest = change.key.partition("/")
            if change.record is None:
                brand, _, name = rest.partition("/")
                self._found.pop((kind, brand, name), None)
            elif change.record.WhichOneof("entity") in _KINDS:
                self._put(change.record)

    def has_brand(self, brand: str) -> bool:
        """Tell whether the brand is configured."""
        return ("brand", brand, "") in self._found

    def link(self, brand: str, link: str) -> Link | None:
        """Return a tracked link that is not deleted."""
        found = self._found.get(("link", brand, link))
        return found if isinstance(found, Link) else None

    def campaign(self, brand: str, campaign: str) -> Campaign | None:
        """Return a campaign that is not deleted."""
        found = self._found.get(("campaign", brand, campaign))
        return found if isinstance(found, Campaign) else None

    def _put(self, record: pb.ConfigRecord) -> None:
        place, value = _read(record)
        # Records may come out of order, and an older one must not bring back what was changed.
        if record.generation < self._generations.get(place, 0):
            return
        self._generations[place] = record.generation
        if value is None:
            self._found.pop(place, None)
        else:
            self._found[place] = value


def _read(record: pb.ConfigRecord) -> tuple[tuple[str, str, str], Link | Campaign | str | None]:
    """Return place and value; None: deleted, or of no use."""
    kind = record.WhichOneof("entity")
    if kind == "link":
        return (kind, record.link.brand, record.link.link), _link(record.link)
    if kind == "campaign":
        return (kind, record.campaign.brand, record.campaign.campaign), _campaign(record.campaign)
    return ("brand", record.brand.brand, ""), record.brand.brand


def _link(found: pb.LinkConfig) -> Link | None:
    if found.deleted:
        return None
    if not found.url.startswith("https://"):
        log.error("a link that leads to no https address is not followed", extra={"brand": found.brand, "link": found.link})
        return None
    return Link(found.brand, found.link, quote(found.url, safe=_PLAIN))


def _campaign(found: pb.CampaignConfig) -> Campaign | None:
    if found.deleted:
        return None
    return Campaign(
        brand=found.brand,
        campaign=found.campaign,
        state=pb.CampaignState.Name(found.state).removeprefix("CAMPAIGN_STATE_").lower(),
        form=found.form,
        start=from_timestamp(found.start_time) if found.HasField("start_time") else None,
        end=from_timestamp(found.end_time) if found.HasField("end_time") else None,
    )
