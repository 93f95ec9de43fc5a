"""One meaning of "at most so many within so long", against the plainest way to say it."""

import random
from math import inf

import pytest

from antiphon.windows import fits


def plainly(moments: list[float], moment: float, at_most: int, within: float) -> bool:
    """Count every window that begins at a moment and holds the new one."""
    everything = sorted([*moments, moment])
    windows = [[m for m in everything if start <= m and m - start < within] for start in everything]
    return all(len(window) <= at_most for window in windows if moment in window)


@pytest.mark.parametrize(
    ("moments", "moment", "at_most", "within", "expected"),
    [
        ([], 5.0, 1, 10.0, True),
        ([], 5.0, 0, 10.0, False),
        ([0.0], 9.9, 1, 10.0, False),
        ([0.0], 10.0, 1, 10.0, True),
        ([10.0], 0.0, 1, 10.0, True),
        ([9.0], 0.0, 1, 10.0, False),
        ([0.0, 12.0], 6.0, 1, 7.0, False),
        ([0.0, 12.0], 6.0, 2, 7.0, True),
        ([0.0, 1.0, 2.0], 1e12, 3, inf, False),
        ([0.0, 1.0], 1e12, 3, inf, True),
    ],
)
def test_a_window_is_open_at_its_end(moments: list[float], moment: float, at_most: int, within: float, *, expected: bool) -> None:
    assert fits(moments, moment, at_most, within) is expected


def test_it_says_what_counting_every_window_says(rng: random.Random) -> None:
    seen = {True: 0, False: 0}
    for _ in range(4000):
        moments = sorted(rng.choice([float(rng.randrange(40)), rng.uniform(0, 40)]) for _ in range(rng.randrange(9)))
        moment, at_most, within = float(rng.randrange(40)), rng.randrange(1, 5), rng.choice([1.0, 3.0, 7.5, 20.0, 100.0])
        if len(moments) and not all(plainly(moments[:place], one, at_most, within) for place, one in enumerate(moments)):
            continue  # what is counted was itself admitted
        expected = plainly(moments, moment, at_most, within)
        assert fits(moments, moment, at_most, within) is expected, (moments, moment, at_most, within)
        seen[expected] += 1
    assert min(seen.values()) > 200, seen
