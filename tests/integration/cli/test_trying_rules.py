"""Rules are checked and tried from files before they act; what is wrong is told with file and line."""

from pathlib import Path
from typing import Any

import orjson
import pytest

RULE = """\
id: price
name: Prices
state: active
where: {kinds: [comment]}
when:
  text:
    any: [price, how much]
    none: [giveaway]
then:
  - reply: {text: {default: ["It is 49 €, {{author.first_name|dear guest}}."]}}
examples:
  - {text: "How much is it?", language: en, acts: true}
  - {text: "price of the giveaway", language: en, acts: false}
"""


@pytest.fixture
def rule(tmp_path: Path) -> Path:
    path = tmp_path / "config/rules/price.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(RULE)
    return path


def test_a_good_rule_passes_lint_and_its_own_examples(cli: Any, rule: Path) -> None:
    linted = cli("rules", "lint", rule.parent.parent)
    assert (linted.code, "1 files checked" in linted.err) == (0, True), linted.out
    tried = cli("rules", "test", rule)
    assert tried.code == 0, tried.err
    assert "It is 49 €" in tried.out
    assert "giveaway" in tried.out
    assert "wrong" not in tried.out


def test_lint_tells_file_line_and_reason(cli: Any, rule: Path) -> None:
    rule.write_text(
        RULE.replace("acts: false", "acts: true").replace("any: [price, how much]", "any: [price, 'https://a.example']")
    )
    linted = cli("rules", "lint", rule)
    assert linted.code == 1
    assert f"{rule}:7 error" in linted.out
    (rule.parent / "loud.yaml").write_text(RULE.replace("id: price", "id: loud").replace("It is 49 €", "The price is 49 €"))
    rule.write_text(RULE)
    found = orjson.loads(cli("rules", "lint", rule.parent, "--json").out)
    assert {(line["code"], line["severity"], Path(line["file"]).name) for line in found} >= {
        ("self_triggering", "error", "loud.yaml")
    }


def test_offline_lint_needs_no_api_and_finds_broken_files(bare_cli: Any, rule: Path) -> None:
    assert bare_cli("rules", "lint", "--offline", rule).code == 0
    rule.write_text("id: price\nthen: [\n")
    broken = bare_cli("rules", "lint", "--offline", rule)
    assert (broken.code, f"{rule}:3" in broken.err) == (2, True)
    rule.write_text("id: other\nthen: [hide]\n")
    named = bare_cli("rules", "lint", "--offline", rule.parent.parent)
    assert (named.code, "the file is named 'price'" in named.err) == (2, True)


def test_a_test_shows_why_and_why_not(cli: Any, rule: Path) -> None:
    tried = cli("rules", "test", rule, "What is the PRICE?", "price in the giveaway", "nice", "--language", "en", "--json")
    assert tried.code == 0, tried.err
    first, second, third = orjson.loads(tried.out)
    assert (first["acts"], first["terms"]) == (True, ["price"])
    assert (second["acts"], second["reason"]) == (False, "excluded_term")
    assert (third["acts"], third["reason"]) == (False, "")
    piped = cli("rules", "test", rule, "--texts", "-", stdin="how much\n\nnothing\n")
    assert (piped.out.count("acts"), piped.out.count("rests")) == (1, 1)


def test_a_failing_example_ends_with_one(cli: Any, rule: Path) -> None:
    rule.write_text(RULE.replace("How much is it?", "What does it cost?"))
    tried = cli("rules", "test", rule)
    assert (tried.code, "wrong" in tried.out) == (1, True)


def test_a_rule_that_is_none_is_shown_with_its_lines(cli: Any, rule: Path) -> None:
    rule.write_text(RULE.replace("kinds: [comment]", "kinds: [comment, telegram]").replace("any:", "anny:"))
    tried = cli("rules", "test", rule, "x")
    assert tried.code == 2
    assert f"{rule}:4 /where/kinds/1" in tried.err
    assert f"{rule}:7 /when/text/anny" in tried.err


def test_a_push_refuses_what_lint_refuses(cli: Any, rule: Path, installation: Any, brand: str) -> None:
    rule.write_text(RULE.replace("acts: false", "acts: true"))
    pushed = cli("rules", "push", rule.parent.parent, "--yes")
    assert (pushed.code, "nothing was pushed" in pushed.err) == (1, True), pushed.err
    assert "example_failed" in pushed.out
    assert installation.call("GET", f"/v1/brands/{brand}/rules").json()["items"] == []


def test_rules_may_name_what_is_pushed_with_them(cli: Any, rule: Path) -> None:
    folder, link = rule.parent.parent, rule.parent.parent / "links/shop.yaml"
    rule.write_text(RULE.replace("It is 49 €", "See {{link.shop}}"))
    alone = cli("rules", "lint", folder)
    assert (alone.code, "no link 'shop'; create it first [unknown_link]" in alone.out) == (1, True), alone.err
    assert cli("rules", "push", folder, "--yes").code == 1
    link.parent.mkdir()
    link.write_text("id: shop\nurl: https://acme.example/\n")
    for whole_or_part in (folder, rule.parent, rule):
        assert cli("rules", "lint", whole_or_part).code == 0
    pushed = cli("rules", "push", folder, "--yes")
    assert pushed.code == 0, pushed.err


def test_a_strangers_text_cannot_steer_the_terminal(cli: Any, rule: Path) -> None:
    tried = cli("rules", "test", rule, "price \x1b[31m[bold]red[/bold] \x07")
    assert "\x1b" not in tried.out
    assert "[bold]red" in tried.out
