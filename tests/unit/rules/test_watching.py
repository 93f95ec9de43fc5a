"""Tracked links as people publish them by hand."""

import base64
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr

from antiphon.links import LinkCode, LinkSettings, read_code
from rules.adapters.programmes import tracked_links
from rules.domain.programme import Tracked
from rules.entities import Link
from rules.watching import LinkService

KEY = bytes(range(32))
LINKS = LinkSettings(link_key=SecretStr(base64.b64encode(KEY).decode()), link_base_url="https://go.acme.example")
SHOP = Link(
    brand="acme", link="shop", url="https://acme.example/", changed_time=datetime(2026, 6, 1, tzinfo=UTC), actor="0123456789ab"
)


def service(tracked: Tracked | None) -> LinkService:
    nothing: Any = None
    return LinkService(store=nothing, changes=nothing, configuration=nothing, references=nothing, tracked=tracked)


def test_the_address_says_whose_link_it_is_and_names_no_answer() -> None:
    url = service(tracked_links(LINKS)).tracked_url(SHOP)
    assert url is not None
    base, _, code = url.rpartition("/l/")
    assert (base, read_code(KEY, code)) == ("https://go.acme.example", LinkCode("acme", "shop"))


def test_there_is_no_address_of_a_deleted_link_nor_where_nothing_is_tracked() -> None:
    assert service(tracked_links(LINKS)).tracked_url(replace(SHOP, deleted=True)) is None
    assert service(None).tracked_url(SHOP) is None
