"""Copies, tag farms and bots are flagged with what was compared; honest crowds are not."""

import random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from publisher.adapters.lookalikes import MinHashLookalikes
from publisher.domain.entries.flags import SIMILAR, near_duplicate
from publisher.domain.entries.model import MediaRef
from publisher.domain.entries.texts import normalised, shingles, similarity
from publisher.entry_ports import File

LONG = "Our first morning by the lake with the new bike, the kids would not come out of the water until noon"


def flags(entry: Any) -> list[str]:
    return [one.flag for one in entry.standing.flags]


async def test_a_copied_text_is_flagged_with_what_it_resembles(stage: Any) -> None:
    first = await stage.enter("first", "u1", text=LONG + " #AcmeSummer")
    stage.clock.advance(60)
    copy = await stage.enter("copy", "u2", text=LONG.upper() + "!! @friend https://x.example #acmesummer #win")
    assert flags(first) == []
    assert flags(copy) == ["near_duplicate"]
    assert copy.standing.flags[0].detail == f"100% like entry {first.entry_id}"
    changed = await stage.enter("changed", "u3", text=LONG.replace("lake", "sea"))
    assert flags(changed) == ["near_duplicate"]
    assert copy.evidence[1].detail == copy.standing.flags[0].detail, "the evidence says so too"


async def test_what_is_short_or_merely_about_the_same_is_not(stage: Any) -> None:
    for number, text in enumerate(
        [
            "What a summer! #AcmeSummer", "What a summer! #AcmeSummer", "#AcmeSummer @tom", "#AcmeSummer @tom",
            "A morning at the lake with my new bike and the kids, who were not to be taken out of the water",
            LONG,
        ]
    ):  # fmt: skip
        assert flags(await stage.enter(f"n{number}", f"u{number}", text=text)) == []


async def test_a_restart_and_another_process_know_what_was_entered(stage: Any) -> None:
    await stage.enter("first", "u1", text=LONG)
    stage.build()
    stage.clock.advance(60)
    assert flags(await stage.enter("copy", "u2", text=LONG)) == ["near_duplicate"]


async def test_the_same_friends_over_and_over_are_a_farm(stage: Any) -> None:
    friends = ("ann", "ben", "cem")
    found = [await stage.enter(f"n{number}", f"u{number}", friends=friends, text=f"n{number}") for number in range(4)]
    assert [flags(one) for one in found] == [[], [], [], ["tag_farm"]]
    assert "4 entries" in found[3].standing.flags[0].detail
    honest = [
        await stage.enter(f"h{number}", "h", friends=("my-wife",), event_time=stage.now + 100 * number) for number in range(9)
    ]
    assert not any(flags(one) for one in honest)


async def test_people_who_name_only_each_other_are_a_ring(stage: Any) -> None:
    found = []
    for number in range(3):
        found.append(await stage.enter(f"a{number}", "anna", friends=("bob",), event_time=stage.now + 100 * number))
        found.append(await stage.enter(f"b{number}", "bob", friends=("anna",), event_time=stage.now + 100 * number))
    assert [flags(one) for one in found] == [[], [], [], [], [], ["tag_farm"]]
    assert found[-1].standing.flags[0].detail == "bob and anna name each other in 3 and 3 entries"


async def test_a_burst_of_one_person_is_a_bot_and_of_many_is_none(stage: Any) -> None:
    one = [await stage.enter(f"n{number}", "u1", event_time=stage.now + number) for number in range(5)]
    assert [flags(entry) for entry in one] == [[], [], [], [], ["bot"]]
    crowd = [await stage.enter(f"c{number}", f"c{number}") for number in range(30)]
    assert not any(flags(entry) for entry in crowd)


async def test_the_same_file_in_another_entry_is_flagged_once_it_is_fetched(stage: Any) -> None:
    for name in ("first", "second"):
        stage.servers.files[f"https://cdn.example/{name}"] = File("d" * 64, "image/png", b"the same")
        await stage.enter(name, name, media=(MediaRef("image", f"https://cdn.example/{name}"),), event_time=stage.now)
        stage.clock.advance(1)
    await stage.sweep.once()
    await stage.sweep.once()
    assert flags(stage.entry("first")) == []
    assert flags(stage.entry("second")) == ["copied_media"]
    assert stage.entry("first").entry_id in stage.entry("second").standing.flags[0].detail


@given(st.text(min_size=40, max_size=200), st.integers(0, 199), st.characters())
def test_what_is_found_is_compared_exactly(text: str, place: int, other: str) -> None:
    one = shingles(normalised(text))
    two = shingles(normalised(text[: place % len(text)] + other + text[place % len(text) + 1 :]))
    assert 0.0 <= similarity(one, two) <= 1.0
    assert similarity(one, two) == similarity(two, one)


async def test_of_hundreds_of_pairs_nearly_none_is_missed(stage: Any, rng: random.Random) -> None:
    words = [f"{a}{b}{c}" for a in "bdfgkl" for b in "aeiou" for c in "mnrst"]
    index, found, pairs = MinHashLookalikes(), 0, 300
    for number in range(pairs):
        text = [rng.choice(words) for _ in range(40)]
        one = stage.capture(f"one{number}", text=" ".join(text))
        text[rng.randrange(40)] = "xyzzy"
        two = stage.capture(f"two{number}", text=" ".join(text), event_time=stage.now + 1)
        assert similarity(shingles(normalised(one.text)), shingles(normalised(two.text))) >= SIMILAR
        index.add(one)
        index.add(two)
        found += near_duplicate(two, index.candidates(two)) is not None
    assert found >= pairs - 5, "at this likeness MinHash misses one of about three hundred pairs by chance"


def test_memory_is_bounded(stage: Any) -> None:
    index = MinHashLookalikes(most=3)
    for number in range(10):
        index.add(stage.capture(f"n{number}", text=f"{LONG} {number}"))
    assert sorted(one.object for one in index.candidates(stage.capture("x", text=LONG))) == ["o-n7", "o-n8", "o-n9"]
