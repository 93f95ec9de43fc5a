"""A brand's configuration as files: pulled, compared, pushed, and nobody's change overwritten."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest

from antiphon_cli.client import Api
from antiphon_cli.directory import Directory
from antiphon_cli.errors import Exit, Failure
from antiphon_cli.plan import plan
from antiphon_cli.remote import BrandApi
from antiphon_cli.settings import Settings
from antiphon_cli.sync import Sync

RULE: dict[str, Any] = {
    "id": "price",
    "name": "Prices",
    "state": "active",
    "when": {"text": {"any": ["price", "how much"]}},
    "then": [{"reply": {"text": {"en": ["It is 49 €."], "de": ["Es kostet 49 €."]}}}],
}


@pytest.fixture
def files(cli: Any, brand: str, installation: Any, tmp_path: Path) -> Path:
    """A folder with what was pulled from a brand with a rule, a channel and a segment."""
    installation.call("POST", f"/v1/brands/{brand}/rules", RULE)
    account = {"platform": "instagram", "account": f"1784{abs(hash(brand))}", "name": "Shop"}
    installation.call("PUT", f"/v1/brands/{brand}/channels/ig-main", account)
    installation.call("PUT", f"/v1/brands/{brand}/segments/vip", {"authors": ["instagram:2", "instagram:1"]})
    folder = tmp_path / "config"
    pulled = cli("rules", "pull", folder)
    assert pulled.code == 0, pulled.err
    return folder


def test_everything_is_pulled_in_a_stable_form_and_then_nothing_differs(cli: Any, files: Path, brand: str) -> None:
    assert (files / "rules/price.yaml").read_text() == (
        "id: price\n"
        "name: Prices\n"
        "state: active\n"
        "when:\n"
        "  text:\n"
        "    any: [price, how much]\n"
        "then:\n"
        "  - reply:\n"
        "      text: {de: [Es kostet 49 €.], en: [It is 49 €.]}\n"
    )
    assert f"id: {brand}\nname: Acme\n" in (files / "brand.yaml").read_text()
    assert (files / "segments/vip.yaml").read_text() == "id: vip\nauthors: ['instagram:1', 'instagram:2']\n"
    assert "ig-main:" in (files / "channels.yaml").read_text()
    before = {path: path.stat().st_mtime_ns for path in files.rglob("*.yaml")}
    assert cli("rules", "diff", files).code == 0
    again = cli("rules", "pull", files)
    assert "nothing new" in again.err
    assert {path: path.stat().st_mtime_ns for path in files.rglob("*.yaml")} == before


def test_a_push_does_what_diff_showed_and_a_second_one_nothing(cli: Any, files: Path, brand: str, installation: Any) -> None:
    rule = files / "rules/price.yaml"
    rule.write_text("# Ask sales before you change this.\n" + rule.read_text().replace("49", "59"))
    (files / "rules/new.yaml").write_text("id: new\nthen:\n  - tag: new\nwhere: {kinds: comment}\n")
    (files / "segments/vip.yaml").write_text("id: vip\nauthors: ['instagram:3']\n")
    (files / "brand.yaml").write_text((files / "brand.yaml").read_text().replace("mode: auto", "mode: approval"))
    shown = cli("rules", "diff", files)
    assert shown.code == 1
    for line in ("-mode: auto", "+mode: approval", "+      text: {de: [Es kostet 59 €.], en: [It is 59 €.]}", "+id: new"):
        assert line in shown.out

    asked = cli("rules", "push", files)
    assert (asked.code, "--yes" in asked.err) == (2, True)
    pushed = cli("rules", "push", files, "--yes")
    assert pushed.code == 0, pushed.err
    assert "rules/price: save version 2" in pushed.out
    there = installation.call("GET", f"/v1/brands/{brand}/rules/price").json()
    assert (there["active_version"], there["state"]) == (2, "active")
    assert installation.call("GET", f"/v1/brands/{brand}/segments/vip").json()["authors"] == ["instagram:3"]
    assert installation.call("GET", f"/v1/brands/{brand}").json()["mode"] == "approval"

    assert rule.read_text().startswith("# Ask sales")
    second = cli("rules", "push", files, "--yes")
    assert (second.code, "nothing to push" in second.err) == (0, True)
    assert cli("rules", "diff", files).code == 0
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["latest_version"] == 2


def test_a_change_of_somebody_else_is_named_and_never_overwritten(cli: Any, files: Path, brand: str, installation: Any) -> None:
    rule = files / "rules/price.yaml"
    theirs = {**RULE, "name": "Prices by Ben"}
    installation.call("PUT", f"/v1/brands/{brand}/rules/price?comment=spring+campaign", theirs, match="*")
    behind = cli("rules", "push", files, "--yes")
    assert (behind.code, "left alone" in behind.err) == (0, True)

    rule.write_text(rule.read_text().replace("49", "59"))
    refused = cli("rules", "push", files, "--yes")
    assert refused.code == 3
    assert "rules/price by key" in refused.err
    assert "spring campaign" in refused.err
    assert cli("rules", "pull", files).code == 3
    assert "59" in rule.read_text()
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["name"] == "Prices by Ben"

    mine = cli("rules", "push", files, "--yes", "--overwrite")
    assert mine.code == 0, mine.err
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["name"] == "Prices"

    installation.call("PUT", f"/v1/brands/{brand}/rules/price", theirs, match="*")
    pulled = cli("rules", "pull", files)
    assert (pulled.code, "Prices by Ben" in rule.read_text()) == (0, True)


def test_a_change_between_plan_and_push_is_named_too(files: Path, brand: str, installation: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    rule = files / "rules/price.yaml"
    rule.write_text(rule.read_text().replace("49", "59"))
    with Api(Settings(url=installation.url, key=installation.token)) as api:
        sync = Sync(Directory(files), BrandApi(api, brand))
        look = sync.look()
        installation.call("POST", f"/v1/brands/{brand}/rules/price:pause", match="*")
        with pytest.raises(Failure, match="rules/price was changed meanwhile by key") as failed:
            sync.push(look, plan(look.differences), lambda *_: None)
    assert failed.value.code is Exit.CONFLICT
    there = installation.call("GET", f"/v1/brands/{brand}/rules/price").json()
    assert (there["latest_version"], there["state"]) == (1, "paused")


def test_a_removed_file_archives_its_rule_only_with_prune(cli: Any, files: Path, brand: str, installation: Any) -> None:
    text = (files / "rules/price.yaml").read_text()
    (files / "rules/price.yaml").unlink()
    (files / "segments/vip.yaml").unlink()
    kept = cli("rules", "push", files, "--yes")
    assert (kept.code, "without --prune" in kept.err) == (0, True)
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["state"] == "active"
    pruned = cli("rules", "push", files, "--yes", "--prune")
    assert pruned.code == 0, pruned.err
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["state"] == "archived"
    assert installation.call("GET", f"/v1/brands/{brand}/segments").json()["items"] == []
    assert cli("rules", "diff", files).code == 0

    (files / "rules/price.yaml").write_text(text)
    back = cli("rules", "push", files, "--yes")
    assert back.code == 0, back.err
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["state"] == "active"
    assert cli("rules", "diff", files).code == 0


def test_moves_of_state_go_without_a_new_version(cli: Any, files: Path, brand: str, installation: Any) -> None:
    rule = files / "rules/price.yaml"
    for state in ("paused", "active", "archived"):
        rule.write_text(
            "\n".join(f"state: {state}" if line.startswith("state:") else line for line in rule.read_text().split("\n"))
        )
        pushed = cli("rules", "push", files, "--yes")
        assert pushed.code == 0, pushed.err
        there = installation.call("GET", f"/v1/brands/{brand}/rules/price").json()
        assert (there["state"], there["latest_version"]) == (state, 1)
    assert cli("rules", "diff", files).code == 0


def test_a_push_that_fails_on_the_way_tells_what_was_done(cli: Any, files: Path, brand: str, installation: Any) -> None:
    (files / "segments/ok.yaml").write_text("id: ok\nauthors: ['instagram:1']\n")
    (files / "channels.yaml").write_text("ig-main: {platform: nowhere, account: '1', name: Shop}\n")
    rule = files / "rules/price.yaml"
    rule.write_text(rule.read_text().replace("49", "59"))
    stopped = cli("rules", "push", files, "--yes")
    assert stopped.code == 2
    assert "segments/ok: create" in stopped.out
    assert "1 of 3 done; not done: channels/ig-main, rules/price" in stopped.err
    assert f"{files / 'channels.yaml'}:1 /platform" in stopped.err
    left = cli("rules", "diff", files)
    assert "segments/ok" not in left.out
    assert "+      text: {de: [Es kostet 59 €.], en: [It is 59 €.]}" in left.out


def test_the_files_of_one_brand_are_not_pushed_to_another(cli: Any, files: Path, installation: Any) -> None:
    refused = cli("rules", "diff", files, "--brand", "other-brand")
    assert (refused.code, "belong to the brand" in refused.err) == (2, True)


def test_a_brand_that_does_not_exist_is_created_by_a_push(cli: Any, tmp_path: Path, unique_name: Any, installation: Any) -> None:
    brand, folder = unique_name("fresh"), tmp_path / "fresh"
    (folder / "rules").mkdir(parents=True)
    (folder / "brand.yaml").write_text(f"id: {brand}\nname: Fresh\nlanguages: [en]\n")
    (folder / "rules/tagger.yaml").write_text("id: tagger\nstate: active\nthen:\n  - tag: [x]\n")
    pushed = cli("rules", "push", folder, "--brand", brand, "--yes")
    assert pushed.code == 0, pushed.err
    assert installation.call("GET", f"/v1/brands/{brand}/rules/tagger").json()["state"] == "active"
    assert cli("rules", "diff", folder).code == 0


def test_on_a_terminal_a_push_asks_and_takes_no_for_an_answer(cli: Any, files: Path, brand: str, installation: Any) -> None:
    rule = files / "rules/price.yaml"
    rule.write_text(rule.read_text().replace("49", "59"))
    ours, theirs = pty.openpty()
    try:
        with cli.start("rules", "push", files, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.write(ours, b"n\n")
            out, err = process.communicate(timeout=60)
    finally:
        os.close(ours)
        os.close(theirs)
    assert (process.returncode, b"save" in out, b"Carry out 1 step?" in err) == (1, True, True)
    assert installation.call("GET", f"/v1/brands/{brand}/rules/price").json()["latest_version"] == 1


def test_colours_are_for_terminals_that_want_them(cli: Any, files: Path) -> None:
    rule = files / "rules/price.yaml"
    rule.write_text(rule.read_text().replace("49", "59"))
    coloured = cli.with_env(FORCE_COLOR="1", TERM="xterm-256color")("rules", "diff", files).out
    plain = cli.with_env(FORCE_COLOR="1", TERM="xterm-256color", NO_COLOR="1")("rules", "diff", files).out
    assert "\x1b[32m+" in coloured
    assert "\x1b[32m" not in plain
    assert "\x1b" not in cli("rules", "diff", files).out
