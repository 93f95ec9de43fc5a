"""A certificate that holds, and every way of altering one: each is found, and named."""

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contest import Malformed, Standing, load, make_certificate, standing, verify
from contest.example import CONTEST, DRAWN, ENTRIES, SEED, example

SAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "certificate.json"

ON_THE_PUBLISHERS_WORD = {"/commitment/published", "/drawn"}
"""Moments that nothing but the publisher's word stands for; they must only stand in their order."""


Document = dict[str, Any]


def fresh() -> Document:
    """Return an untouched certificate."""
    return make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN)


@pytest.fixture
def certificate() -> Document:
    return fresh()


def codes(document: object) -> set[str]:
    return {finding.code for finding in verify(document)}


def places(document: object) -> dict[str, str]:
    return {finding.place: finding.code for finding in verify(document)}


def test_what_was_drawn_holds(certificate: Document) -> None:
    assert verify(certificate) == []
    assert verify(load(json.dumps(certificate).encode())) == []


def test_the_published_sample_holds_and_is_the_one_that_its_command_writes() -> None:
    assert SAMPLE.read_text() == example()
    document = load(SAMPLE.read_bytes())
    assert verify(document) == []
    document["entries"][17] = "0" + document["entries"][17][1:]
    assert "root" in codes(document)


def test_an_altered_entry(certificate: Document) -> None:
    certificate["entries"][20] = certificate["entries"][20][:-1] + "x"
    assert places(certificate) == {"/root": "root"}


def test_an_altered_winner(certificate: Document) -> None:
    certificate["winners"][1]["entry"] = certificate["entries"][0]
    assert (
        places(certificate).items()
        >= {
            "/winners/1": "winners",
            "/winners/1/index": "index",
            "/winners/1/path": "path",
        }.items()
    )


def test_a_dropped_and_an_added_entry(certificate: Document) -> None:
    dropped = certificate["entries"].pop(20)
    assert places(certificate).items() >= {"/count": "count", "/root": "root"}.items()
    certificate["count"] -= 1
    assert codes(certificate) >= {"root", "binding"}
    certificate["count"] += 2
    certificate["entries"] = sorted([*certificate["entries"], dropped, "f" * 64])
    assert codes(certificate) >= {"root", "binding"}


def test_another_seed(certificate: Document) -> None:
    certificate["seed"] = "0" * 64
    assert places(certificate).items() >= {"/seed": "seed", "/binding": "binding", "/winners/0": "winners"}.items()


def test_another_order_of_winners(certificate: Document) -> None:
    certificate["winners"].reverse()
    assert places(certificate) == {"/winners": "winners", "/winners/0": "winners", "/winners/2": "winners"}
    assert "another order" in verify(certificate)[0].detail


def test_a_winner_left_out(certificate: Document) -> None:
    del certificate["winners"][0]
    assert places(certificate)["/winners"] == "winners"


def test_an_alternate_made_a_winner(certificate: Document) -> None:
    certificate["winners"][2], certificate["alternates"][0] = certificate["alternates"][0], certificate["winners"][2]
    assert places(certificate).keys() == {"/winners/2", "/alternates/0"}


def test_an_altered_path(certificate: Document) -> None:
    certificate["alternates"][1]["path"][3] = "0" * 64
    assert places(certificate) == {"/alternates/1/path": "path"}


def test_another_count(certificate: Document) -> None:
    certificate["count"] = 39
    assert places(certificate)["/count"] == "count"


def test_entries_in_another_order_or_twice(certificate: Document) -> None:
    first, second = certificate["entries"][:2]
    certificate["entries"][:2] = second, first
    assert places(certificate)["/entries/1"] == "order"
    certificate["entries"][:2] = first, first
    assert places(certificate)["/entries/1"] == "duplicate"


def test_a_commitment_that_came_too_late_and_a_draw_that_came_too_early(certificate: Document) -> None:
    certificate["commitment"]["published"] = certificate["closed"]
    assert places(certificate) == {"/commitment/published": "moments"}
    certificate["drawn"] = "2026-03-31T21:59:59Z"  # a second before the close, which is in summer time
    assert places(certificate).keys() == {"/commitment/published", "/drawn"}


def leaves(value: Any, place: str = "") -> list[tuple[str, Any, Any]]:
    """Return place, holder and key of every value that holds no others."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, inner in items:
        below = f"{place}/{key}"
        found += leaves(inner, below) if isinstance(inner, dict | list) else [(below, value, key)]
    return found


anything = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just({})


@given(st.data())
def test_any_alteration_is_found(data: st.DataObject) -> None:
    document = fresh()
    place, holder, key = data.draw(st.sampled_from(leaves(document)))
    old = holder[key]
    if isinstance(old, str) and data.draw(st.booleans()):
        position = data.draw(st.integers(0, len(old) - 1))
        holder[key] = old[:position] + data.draw(st.sampled_from("0123456789abcdefZz+- ")) + old[position + 1 :]
    else:
        holder[key] = data.draw(anything)
    if holder[key] == old and type(holder[key]) is type(old):
        assert verify(document) == []
    elif place not in ON_THE_PUBLISHERS_WORD:
        assert verify(document), f"{place}: {old!r} became {holder[key]!r}"


@given(st.data())
def test_anything_dropped_added_or_moved_is_found(data: st.DataObject) -> None:
    document = fresh()
    how = data.draw(st.sampled_from(["drop a field", "add a field", "drop of a list", "double in a list", "swap in a list"]))
    if how == "drop a field":
        del document[data.draw(st.sampled_from(sorted(document)))]
    elif how == "add a field":
        document[data.draw(st.text().filter(lambda name: name not in document))] = data.draw(anything)
    else:
        role = data.draw(st.sampled_from(["entries", "winners", "alternates"]))
        members = document[role]
        one, other = data.draw(st.lists(st.integers(0, len(members) - 1), min_size=2, max_size=2, unique=True))
        if how == "drop of a list":
            del members[one]
        elif how == "double in a list":
            members.insert(other, members[one])
        else:
            members[one], members[other] = members[other], members[one]
    assert verify(document)


@given(st.recursive(anything, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_is_judged_without_an_error(document: object) -> None:
    assert codes(document) == {"malformed"}


def test_a_compact_list_says_the_same() -> None:
    plain, compact = (make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN, compact=packed) for packed in (False, True))
    assert verify(compact) == []
    assert {**compact, "entries": plain["entries"]} == plain


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(zlib.compress(b"a" * 10**7)).decode(),
        base64.b64encode(zlib.compress(b"a\nb\n")).decode(),
        base64.b64encode(zlib.compress("ä\nö".encode())).decode(),
        base64.b64encode(zlib.compress(b"a\nb")[:-4]).decode(),
        base64.b64encode(b"not compressed").decode(),
        "QUJD=",
    ],
)
def test_a_compact_list_that_cannot_be_read(certificate: Document, data: str) -> None:
    certificate["entries"] = {"encoding": "lines-zlib-base64", "data": data}
    assert places(certificate) == {"/entries": "entries_unreadable"}


def test_an_altered_compact_list() -> None:
    compact = make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN, compact=True)
    ids = sorted(ENTRIES)[:-1]
    compact["entries"]["data"] = base64.b64encode(zlib.compress("\n".join(ids).encode())).decode()
    assert codes(compact) >= {"count", "root"}


def test_whoever_entered_finds_their_entry(certificate: Document) -> None:
    second, spare = certificate["winners"][1]["entry"], certificate["alternates"][0]["entry"]
    drawn = {place["entry"] for place in certificate["winners"] + certificate["alternates"]}
    other = next(entry for entry in certificate["entries"] if entry not in drawn)
    assert standing(certificate, second) == Standing(certificate["winners"][1]["index"], winner=2)
    assert standing(certificate, spare) == Standing(certificate["alternates"][0]["index"], alternate=1)
    assert standing(certificate, other) == Standing(certificate["entries"].index(other))
    assert standing(certificate, "somebody else") is None
    assert standing(certificate, "") is None
    assert standing(certificate, "~") is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"no json",
        b"[1, 2]",
        b'"text"',
        b'{"seed": 1, "seed": 2}',
        b'{"a": ' * 100_000,
        b'{"count": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_file_that_is_no_certificate(data: bytes) -> None:
    with pytest.raises(Malformed, match="as it was published"):
        load(data)


def test_a_long_list_of_faults_ends() -> None:
    document = {**make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN), "entries": [1] * 1000}
    assert len(verify(document)) == 20
