"""Builds what the API and the campaigns role share of the ledger of entries."""

from fastapi import FastAPI

from antiphon.clock import Clock
from antiphon.seal import parse_keys
from publisher.adapters import http_consent, http_contest, http_entries, http_gallery
from publisher.adapters.campaigns import ConfigCampaigns
from publisher.adapters.media import DirectoryMedia
from publisher.adapters.mongo_contests import MongoContests
from publisher.adapters.mongo_entries import MongoEntries
from publisher.adapters.platforms.facebook import Facebook
from publisher.adapters.platforms.instagram import Instagram
from publisher.adapters.s3_media import build_s3_media
from publisher.domain.entries.links import link_key
from publisher.entry_ports import MediaStore
from publisher.ports import Ledger, Policies
from publisher.service.entries.asking import Asking
from publisher.service.entries.contests import Draws
from publisher.service.entries.desk import Desk
from publisher.service.entries.inviting import Inviting
from publisher.service.entries.moves import EntryMoves
from publisher.service.entries.ordering import Ordering
from publisher.service.entries.removing import Removals
from publisher.service.entries.showing import Showing
from publisher.settings import MediaSettings, PublisherSettings


def ordering(ledger: Ledger, policies: Policies, clock: Clock) -> Ordering:
    """Return what places the orders of campaigns."""
    return Ordering(ledger, policies, {kind.name: kind.kinds for kind in (Facebook, Instagram)}, clock)


def inviting(settings: PublisherSettings, clock: Clock) -> Inviting:
    """Return what makes links to consent forms, signed with keys derived from those that seal."""
    keys = [link_key(key) for key in parse_keys(settings.seal_keys).values()]
    return Inviting(settings.publisher_public_url, keys, clock)


def media_store(settings: MediaSettings) -> MediaStore:
    """Return the one store of media that the settings name."""
    return build_s3_media(settings) if settings.publisher_media_s3_bucket else DirectoryMedia(settings.publisher_media_directory)


def register_entries(
    app: FastAPI,
    settings: PublisherSettings,
    entries: MongoEntries,
    campaigns: ConfigCampaigns,
    orders: Ordering,
    contests: MongoContests,
    clock: Clock,
) -> None:
    """Add every route about entries to an application."""
    moves, invitations = EntryMoves(entries, clock), inviting(settings, clock)
    asking = Asking(entries, campaigns, orders, invitations, moves, clock)
    desk = Desk(entries, asking, orders, Removals(orders, moves), moves, clock)
    showing = Showing(entries, media_store(settings), clock)
    http_entries.register(app, desk, invitations)
    http_consent.register(app, desk, invitations, campaigns)
    http_gallery.register(app, showing, campaigns, settings.publisher_frame_ancestors)
    http_contest.register(app, Draws(entries, contests, campaigns, clock))
