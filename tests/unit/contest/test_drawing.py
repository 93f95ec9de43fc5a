"""The draw: the same for everybody, and fair. All randomness here is counted, so every run sees the same numbers."""

import hashlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contest import SEED_BYTES, Beacon, Contest, Unusable, commitment_of, make_certificate, verify
from contest.draw import binding, drawn
from contest.example import CONTEST, DRAWN, ENTRIES, SEED

Document = dict[str, Any]

SEEDS = 20_000


def key(number: int) -> bytes:
    return hashlib.sha256(f"seed {number}".encode()).digest()


def names(document: Document) -> list[str]:
    return [place["entry"] for place in document["winners"] + document["alternates"]]


@given(st.randoms())
def test_the_order_in_which_entries_come_changes_nothing(chance: random.Random) -> None:
    shuffled = chance.sample(ENTRIES, len(ENTRIES))
    assert make_certificate(CONTEST, SEED, shuffled, at=DRAWN) == make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN)


@given(st.integers(0, 10**6), st.integers(1, 60), st.integers(0, 80))
def test_nobody_is_drawn_twice_and_nobody_is_left_out_of_a_full_draw(seed: int, count: int, wanted: int) -> None:
    found = drawn(key(seed), count, wanted)
    assert len(set(found)) == len(found) == min(count, wanted)
    assert set(found) <= set(range(count))
    assert found == drawn(key(seed), count, count)[:wanted]


def test_asking_for_more_alternates_changes_nobodys_place() -> None:
    few, many = (make_certificate(replace(CONTEST, alternates=number), SEED, ENTRIES, at=DRAWN) for number in (2, 50))
    assert names(many)[:5] == names(few)
    assert few["winners"] == many["winners"]


def test_the_moment_of_the_draw_changes_nobodys_place() -> None:
    """Whoever presses the button could otherwise wait for a moment that suits them."""
    early, late = (make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN + timedelta(hours=hours)) for hours in (0, 9))
    assert names(early) == names(late)


@pytest.mark.parametrize(
    "other",
    [
        {"brand": "other"},
        {"campaign": "other"},
        {"closed": "2026-03-31T22:00:01+00:00"},
        {"count": 101},
        {"root": "1" * 64},
        {"beacon": ("drand", "7")},
    ],
)
def test_the_seed_alone_decides_nothing(other: Mapping[str, object]) -> None:
    terms = {
        "brand": "a",
        "campaign": "c",
        "closed": "2026-03-31T22:00:00+00:00",
        "count": 100,
        "root": "0" * 64,
        "beacon": ("", ""),
    }
    assert binding(SEED, **terms) != binding(SEED, **terms | other)  # type: ignore[arg-type]


def test_each_place_falls_to_everybody_equally_often() -> None:
    """Chi-square with 9 degrees of freedom stays under 27.9 in 999 of 1,000 fair draws; these seeds are always the same."""
    firsts, thirds, among = Counter[int](), Counter[int](), Counter[int]()
    for seed in range(SEEDS):
        found = drawn(key(seed), 10, 3)
        firsts[found[0]] += 1
        thirds[found[2]] += 1
        among.update(found)
    assert chi_square(firsts, range(10), SEEDS / 10) < 27.9
    assert chi_square(thirds, range(10), SEEDS / 10) < 27.9
    assert chi_square(among, range(10), SEEDS * 3 / 10) < 27.9


def test_each_pair_of_first_and_second_is_equally_likely() -> None:
    """19 degrees of freedom: under 43.9 in 999 of 1,000."""
    pairs = Counter(tuple(drawn(key(seed), 5, 2)) for seed in range(SEEDS))
    assert chi_square(pairs, permutations(range(5), 2), SEEDS / 20) < 43.9


def chi_square(seen: Mapping[object, int], possible: object, expected: float) -> float:
    return sum((seen[each] - expected) ** 2 / expected for each in possible)  # type: ignore[attr-defined]


def test_blocks_past_the_last_whole_multiple_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A range of ten and a pool of four: the numbers 8 and 9 would favour the first two, and never come."""
    monkeypatch.setattr("contest.draw._RANGE", 10)
    monkeypatch.setattr("contest.draw.hmac.digest", lambda _key, counter, _how: bytes([int.from_bytes(counter, "big") % 10]))
    assert drawn(b"", 4, 4) == [0, 1, 2, 3]
    counted = iter([9, 8, 5, 9, 2])
    monkeypatch.setattr("contest.draw.hmac.digest", lambda *_: bytes([next(counted)]))
    assert drawn(b"", 4, 2) == [1, 2]


def test_a_contest_with_fewer_entries_than_winners() -> None:
    some = make_certificate(CONTEST, SEED, ENTRIES[:2], at=DRAWN)
    assert sorted(names(some)) == sorted(ENTRIES[:2])
    assert some["alternates"] == []
    nobody = make_certificate(CONTEST, SEED, [], at=DRAWN)
    assert names(nobody) == []
    assert verify(some) == verify(nobody) == []


def test_a_beacon_takes_part_in_the_draw() -> None:
    lottery = replace(CONTEST, beacon=Beacon("Lotto 6aus49 of 2026-04-01", "3 11 19 22 41 48"))
    with_it = make_certificate(lottery, SEED, ENTRIES, at=DRAWN)
    assert verify(with_it) == []
    assert names(with_it) != names(make_certificate(CONTEST, SEED, ENTRIES, at=DRAWN))
    with_it["beacon"]["value"] = "3 11 19 22 41 49"
    assert {finding.code for finding in verify(with_it)} >= {"binding", "winners"}


@pytest.mark.parametrize(
    ("entries", "changes", "words"),
    [
        (["a", "b", "a"], {}, "there twice"),
        (["a", "with space"], {}, "visible ASCII"),
        (["a", "Zoë"], {}, "visible ASCII"),
        (["a", ""], {}, "visible ASCII"),
        (["a"], {"brand": "no\nline"}, "brand or campaign"),
        (["a"], {"beacon": Beacon("drand", "two\nlines")}, "beacon"),
        (["a"], {"winners": 0}, "at least one"),
        (["a"], {"alternates": -1}, "fewer than 0"),
        (["a"], {"published": CONTEST.closed}, "before the close"),
        (["a"], {"closed": DRAWN + timedelta(seconds=1)}, "after it"),
        (["a"], {"closed": datetime(2026, 3, 31)}, "zone"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_remedy(entries: list[str], changes: Mapping[str, object], words: str) -> None:
    with pytest.raises(Unusable, match=words):
        make_certificate(replace(CONTEST, **changes), SEED, entries, at=DRAWN)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, SEED_BYTES - 1, SEED_BYTES + 1])
def test_a_seed_has_one_length(length: int) -> None:
    with pytest.raises(Unusable, match="token_bytes"):
        commitment_of(bytes(length))


def test_the_moments_keep_their_zone() -> None:
    berlin = datetime.fromisoformat("2026-04-01T00:00:00+02:00")
    contest = Contest("acme", "c", datetime(2026, 3, 1, tzinfo=UTC), berlin, winners=1)
    assert make_certificate(contest, SEED, ENTRIES, at=berlin)["closed"] == "2026-04-01T00:00:00+02:00"
