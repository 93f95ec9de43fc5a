"""At most so many in any window of time: the one meaning of a rule's limit, wherever it is counted. Pure.

A window of `within` seconds holds moments less than `within` apart from its first one. Moments may come out of order:
a late one counts in the windows that it falls into, not in those that have passed by.
"""

from bisect import bisect_left
from collections.abc import Sequence
from math import inf


def fits(moments: Sequence[float], moment: float, at_most: int, within: float = inf) -> bool:
    """Tell whether one more at `moment` leaves at most `at_most` in every window that holds it.

    `moments`: what counts already, in rising order; all times in the same seconds. `within` inf: for ever.
    """
    if within == inf:
        return len(moments) < at_most
    first = bisect_left(moments, moment - within)
    while first < len(moments) and moment - moments[first] >= within:
        first += 1
    own = bisect_left(moments, moment)
    if _held(moments, own, moment, within) >= at_most:
        return False
    return all(_held(moments, place, moments[place], within) < at_most for place in range(first, own))


def _held(moments: Sequence[float], place: int, start: float, within: float) -> int:
    """Return how many moments from `place` on lie less than `within` after `start`."""
    end = bisect_left(moments, start + within, lo=place)
    while end > place and moments[end - 1] - start >= within:
        end -= 1
    return end - place
