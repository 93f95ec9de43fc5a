"""YAML files: what they say, on which line, and how they are written."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon_cli.documents import dump, parse, read
from antiphon_cli.errors import Failure

FILE = Path("rule.yaml")

RULE = """\
# why this rule exists
id: price-question
when:
  all:
    - text: {any: [price,
             "how much"]}
    - language: [en, no]
then:
  - reply:
      text: {default: ["49 €"]}
"""


def test_a_pointer_leads_to_its_line() -> None:
    document = parse(RULE, FILE)
    assert document.data["when"]["all"][0]["text"]["any"] == ["price", "how much"]
    assert document.line("/when/all/0/text/any/1") == 6
    assert document.line("/then/0/reply/text") == 10
    assert document.place("/id") == "rule.yaml:2"


def test_a_pointer_into_a_short_form_leads_to_the_nearest_line() -> None:
    document = parse("id: a\nthen:\n  - reply: {text: Hello}\n", FILE)
    assert document.line("/then/0/reply/text/default/0") == 3
    assert document.line("/nowhere") == 1


def test_words_are_words_as_the_api_reads_them() -> None:
    document = parse("a: no\nb: yes\nc: 2026-01-01\nd: true\ne: 0123\nf: 2.5\ng:\n", FILE)
    assert document.data == {"a": "no", "b": "yes", "c": "2026-01-01", "d": True, "e": "0123", "f": 2.5, "g": None}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: [1\n", "rule.yaml:3"),
        ("a: 1\na: 2\n", "rule.yaml:2: not YAML: 'a' stands here twice"),
        ("a: &x [1]\nb: *x\n", "aliases are not allowed"),
        ("a: 1\n---\nb: 2\n", "rule.yaml:2"),
        ("a: !!python/object:os.system x\n", "not YAML"),
        ("? [a]\n: b\n", "no name"),
    ],
)
def test_what_is_no_document_is_told_with_its_line(text: str, said: str) -> None:
    with pytest.raises(Failure, match="not YAML") as failed:
        parse(text, FILE)
    assert said in failed.value.message


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    with pytest.raises(Failure, match="cannot be read"):
        read(tmp_path / "absent.yaml")
    (tmp_path / "latin.yaml").write_bytes("name: Größe".encode("latin-1"))
    with pytest.raises(Failure, match="not UTF-8"):
        read(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(Failure, match="larger than"):
        read(tmp_path / "huge.yaml")


def test_known_keys_come_in_the_order_of_the_guide_and_short_lists_on_one_line() -> None:
    text = dump(
        {
            "then": [{"tag": ["price"]}, {"reply": {"delay": "20s", "text": {"default": ["x"], "zh": ["价"], "de": ["y"]}}}],
            "when": {"text": {"as": "words", "any": ["price", "no"]}},
            "zebra": 1,
            "id": "a",
        }
    )
    assert text == (
        "id: a\n"
        "when:\n"
        "  text: {any: [price, 'no'], as: words}\n"
        "then:\n"
        "  - tag: [price]\n"
        "  - reply: {text: {de: [y], zh: [价], default: [x]}, delay: 20s}\n"
        "zebra: 1\n"
    )


def test_long_texts_stand_one_below_the_other() -> None:
    text = dump(
        {"text": {"default": ["It is 49 € today, and it will be 49 € tomorrow.", "The small one is 49 €, the large one 79 €."]}}
    )
    assert text == (
        "text:\n"
        "  default:\n"
        "    - It is 49 € today, and it will be 49 € tomorrow.\n"
        "    - The small one is 49 €, the large one 79 €.\n"
    )


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1, max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(data=st.dictionaries(st.text(min_size=1, max_size=12), _values, max_size=5))
def test_what_is_written_is_read_back_the_same(data: dict[str, Any]) -> None:
    assert parse(dump(data), FILE).data == data
