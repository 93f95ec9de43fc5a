"""What is sent along when rules are checked: they may name what is pushed with them."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from antiphon_cli.client import Api
from antiphon_cli.documents import Document
from antiphon_cli.findings import check
from antiphon_cli.remote import BrandApi
from antiphon_cli.settings import Settings


def test_the_api_hears_which_campaigns_and_links_come_with_the_rules(server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    finding = {"severity": "error", "code": "unknown_link", "pointer": "/then/0", "detail": "the brand has no link 'shop'"}
    server.says(200, {"items": [{"id": "price", "findings": [finding]}]})
    document = Document(Path("rules/price.yaml"), {"id": "price"})
    with Api(Settings(url=server.url, key="k")) as api:
        (checked,) = check(BrandApi(api, "acme"), [document], ["links/shop", "campaigns/summer", "rules/price", "brand"])
    assert orjson.loads(server.bodies[0]) == {"rules": [{"id": "price"}], "campaigns": ["summer"], "links": ["shop"]}
    assert checked.refuses
