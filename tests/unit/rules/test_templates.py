"""Templates are data, and so is everything that is put into them."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.domain.templates import TemplateError, excess, first_name, parse, render, unfilled, worst_case

INJECTIONS = [
    "{{7*7}}",
    "{{author.first_name}}",
    "{{config.items()}}",
    "{0.__class__}",
    "{author}",
    "${7*7}",
    "#{7*7}",
    "%s%n",
    "%(name)s",
    "<%= 7*7 %>",
    "{% for x in y %}",
    "{{{{{{",
    "}}}}",
    "{{a|{{b}}}}",
    "\\{\\{x\\}\\}",
    "$(id)",
    "`id`",
]


@pytest.mark.parametrize("value", INJECTIONS)
def test_a_value_is_never_a_template(value: str) -> None:
    rendered = render("Hi {{author.first_name}}!", {"author.first_name": value, "coupon": "SECRET"})
    literal = re.sub(r"(?<=\w)\.(?=\w)", " ", value.replace("#", ""))  # what would make a hashtag or a link is taken out
    assert rendered == f"Hi {literal}!"
    assert "SECRET" not in rendered


@pytest.mark.parametrize(
    "template",
    [
        "{{7*7}}",
        "{{author.__class__}}",
        "{{}}",
        "{{ }}",
        "{{x",
        "x}}",
        "{{a{{coupon}}",
        "{{link.}}",
        "{{link.A b}}",
        "{{author.first_name|{x}}}",
    ],
)
def test_what_is_no_placeholder_is_refused_with_its_name(template: str) -> None:
    with pytest.raises(TemplateError) as refusal:
        parse(template)
    assert "placeholder" in str(refusal.value) or "other half" in str(refusal.value)


def test_single_braces_and_percent_signs_are_only_letters() -> None:
    assert render("{x} %s ${y} {0} 100%", {}) == "{x} %s ${y} {0} 100%"


@pytest.mark.parametrize(
    ("template", "values", "expected"),
    [
        ("Hi {{author.first_name}}, it is 49 €.", {"author.first_name": "Anna"}, "Hi Anna, it is 49 €."),
        ("Hi {{author.first_name}}, it is 49 €.", {}, "Hi, it is 49 €."),
        ("Hi {{ author.first_name | there }}!", {}, "Hi there!"),
        ("{{author.first_name}}, thanks", {}, "thanks"),
        ("{{author.first_name}} thanks", {"author.first_name": "Ann"}, "Ann thanks"),
        ("@{{author.handle}} hi", {"author.handle": "anna.m"}, "@anna.m hi"),
        ("@{{author.handle|friend}} hi", {"author.handle": "a b"}, "@friend hi"),
        ("{{author.handle}} hi", {"author.handle": "evil.com"}, "evil com hi"),
        ("{{link.shop|https://acme.com}}", {}, "https://acme.com"),
        ("{{link.shop}}", {"link.shop": "https://acme.com/x"}, "https://acme.com/x"),
    ],
)
def test_rendering(template: str, values: dict[str, str], expected: str) -> None:
    assert render(template, values) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("\u202eevil\u202c", "evil"),
        ("a\u0000b\u001b[31m", "ab[31m"),
        ("two\nlines\u2028x", "two lines x"),
        ("@everyone", "everyone"),
        ("＠everyone", "everyone"),
        ("http://evil.example/x", "http evil example/x"),
        ("evil。com", "evil com"),
        ("\u200b\u2060x", "x"),
        ("A" * 4_000_000, "A" * 40),
    ],
)
def test_values_cannot_hide_mention_or_link(value: str, expected: str) -> None:
    assert render("{{author.first_name}}", {"author.first_name": value}) == expected


@given(st.text(max_size=200))
def test_whatever_a_name_is_the_text_stays_bounded_and_visible(name: str) -> None:
    rendered = render("Hi {{author.first_name|you}}.", {"author.first_name": name})
    assert rendered.startswith("Hi ")
    assert len(rendered) <= worst_case("Hi {{author.first_name|you}}.")[0]
    assert len(rendered.encode()) <= worst_case("Hi {{author.first_name|you}}.")[1]
    assert "@" not in rendered
    assert not any(unicodedata.category(character) in {"Cc", "Co", "Cs", "Zl", "Zp"} for character in rendered)


def test_placeholders_without_a_source_need_a_default() -> None:
    assert unfilled("{{coupon}} {{object.title|our post}} {{author.first_name}}") == ("coupon",)


@pytest.mark.parametrize(
    ("characters", "encoded", "platforms", "private", "expected"),
    [
        (8000, 8000, ["facebook"], False, ""),
        (8001, 8001, ["facebook"], False, "8001 characters, facebook allows 8000"),
        (2201, 2201, ["facebook", "instagram"], False, "2201 characters, instagram allows 2200"),
        (2001, 2001, ["facebook"], True, "2001 characters, facebook allows 2000"),
        (500, 1001, ["instagram"], True, "1001 bytes, instagram allows 1000"),
        (99999, 99999, ["somewhere"], False, ""),
    ],
)
def test_lengths_of_platforms(characters: int, encoded: int, platforms: list[str], private: bool, expected: str) -> None:
    assert excess(characters, encoded, platforms, private=private) == expected


def test_worst_case_counts_bounds_defaults_and_bytes() -> None:
    assert worst_case("ä{{author.first_name}}") == (41, 162)
    assert worst_case("{{author.first_name|" + "x" * 300 + "}}") == (300, 300)


@pytest.mark.parametrize(("name", "expected"), [("Anna Müller", "Anna"), ("💖 Ольга 💖", "Ольга"), ("123 456", ""), ("", "")])
def test_first_names(name: str, expected: str) -> None:
    assert first_name(name) == expected
