"""What is sent along when rules are checked: they may name what is pushed with them."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from antiphon_cli.app import build
from antiphon_cli.client import Api
from antiphon_cli.directory import Directory
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


@pytest.mark.parametrize("checked", ["", "rules", "rules/price.yaml"])
def test_a_rules_file_is_checked_beside_what_lies_in_its_folder(server: Any, tmp_path: Path, checked: str) -> None:
    directory = Directory(tmp_path / "config")
    directory.write({"rules/price": {"id": "price"}, "links/shop": {"id": "shop"}, "campaigns/summer": {"id": "summer"}})
    directory.write_lock("acme", {})
    server.says(200, {"items": [{"id": "price", "findings": []}]})
    env = {"XDG_CONFIG_HOME": None, "HOME": str(tmp_path), "NO_PROXY": "*", "ANTIPHON_URL": server.url, "ANTIPHON_KEY": "k"}
    linted = CliRunner().invoke(build(), ["rules", "lint", str(directory.path / checked)], env={**env, "ANTIPHON_BRAND": None})
    assert linted.exit_code == 0, linted.stderr
    assert server.asked[0][:2] == ("POST", "/v1/brands/acme/rules:lint")
    assert orjson.loads(server.bodies[0]) == {"rules": [{"id": "price"}], "campaigns": ["summer"], "links": ["shop"]}
