"""`/v1/channels`: a brand's accounts and their credentials."""

import logging
from collections.abc import Mapping
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, FastAPI, Path, Query, Response
from pydantic import SecretStr

from antiphon.auth import Admin, Viewer
from antiphon.errors import Invalid, Transient
from antiphon.problems import Problem
from publisher.adapters.mongo_channels import MongoChannels
from publisher.adapters.views import SLUG, ChannelIn, ChannelOut, ChannelsOut, CheckOut, channel_out
from publisher.domain.calls import Rate
from publisher.ports import Channel, Platform

log = logging.getLogger(__name__)

_MOST = 500
"""Channels of a brand that are shown; no brand has more accounts than this."""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

BrandPath = Annotated[str, Path(pattern=SLUG)]
ChannelPath = Annotated[str, Path(pattern=SLUG)]


def channels(store: MongoChannels, platforms: Mapping[str, Platform], hosts: frozenset[str]) -> APIRouter:
    """Return the routes; `hosts` are those that a channel's own API URL may name."""
    router = APIRouter(prefix="/v1/channels", tags=["channels"])

    @router.get("")
    async def browse(principal: Viewer, brand: Annotated[str, Query(pattern=SLUG)]) -> ChannelsOut:
        return ChannelsOut(channels=[channel_out(one) for one in await store.browse(principal.check(brand), _MOST)])

    @router.get("/{brand}/{channel}")
    async def one(principal: Viewer, brand: BrandPath, channel: ChannelPath) -> ChannelOut:
        return channel_out(await _known(store, principal.check(brand), channel))

    @router.put("/{brand}/{channel}")
    async def put(principal: Admin, brand: BrandPath, channel: ChannelPath, body: ChannelIn) -> ChannelOut:
        wanted = _channel(principal.check(brand), channel, body, hosts)
        if not await store.put(wanted):
            raise Problem(409, "account_taken", "Another channel of this brand has this account already.")
        log.info("channel stored by %s", principal.key_id, extra={"brand": brand, "channel": channel})
        return channel_out(await _known(store, brand, channel))

    @router.delete("/{brand}/{channel}", status_code=204)
    async def remove(principal: Admin, brand: BrandPath, channel: ChannelPath) -> Response:
        if not await store.remove(principal.check(brand), channel):
            raise _missing(channel)
        log.info("channel removed by %s", principal.key_id, extra={"brand": brand, "channel": channel})
        return Response(status_code=204)

    @router.post("/{brand}/{channel}:check")
    async def check(principal: Admin, brand: BrandPath, channel: ChannelPath) -> CheckOut:
        found = await _known(store, principal.check(brand), channel)
        try:
            name = await platforms[found.platform].check(found)
        except Invalid as error:
            return CheckOut(ok=False, name=str(error))
        except Transient as error:
            raise Problem(502, "platform_unreachable", f"{error}; try again.") from error
        await store.credential_refused(found, None)
        return CheckOut(ok=True, name=name)

    return router


def _channel(brand: str, name: str, body: ChannelIn, hosts: frozenset[str]) -> Channel:
    url = str(body.api_url or "").rstrip("/")
    if url and not _allowed(url, hosts):
        raise Problem(
            422,
            "host_not_allowed",
            "The API URL must be https and name a host of PUBLISHER_API_HOSTS.",
            errors=[{"pointer": "/api_url", "detail": "host not allowed"}],
        )
    rate = Rate(body.rate.per_second, body.rate.burst) if body.rate else None
    return Channel(brand, name, body.platform, body.account, body.token or SecretStr(""), url, rate)


def _allowed(url: str, hosts: frozenset[str]) -> bool:
    """The credential travels to this host: it must be a known one, and nobody may listen on the way."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return host in hosts and (parts.scheme == "https" or host in _LOOPBACK)


async def _known(store: MongoChannels, brand: str, channel: str) -> Channel:
    found = await store.get(brand, channel)
    if found is None:
        raise _missing(channel)
    return found


def _missing(channel: str) -> Problem:
    return Problem(404, "not_found", f"There is no channel {channel!r} in this brand.")


def register(app: FastAPI, store: MongoChannels, platforms: Mapping[str, Platform], hosts: frozenset[str]) -> None:
    """Add the routes to an application."""
    app.include_router(channels(store, platforms, hosts))
