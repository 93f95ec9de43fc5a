"""Distributions of whole numbers, exact."""

from collections.abc import Iterable, Mapping

Totals = dict[str, int]


class Histogram:
    """Exact distribution of whole numbers by their counts."""

    def __init__(self, counts: Mapping[int, int]) -> None:
        self._counts = sorted(counts.items())
        self.total = sum(counts.values())

    def percentile(self, percent: int) -> int | None:
        """Return the smallest value that at least `percent` of 100 do not exceed (nearest rank); None without values."""
        rank, seen = -(-self.total * percent // 100), 0
        for value, count in self._counts:
            seen += count
            if seen >= rank:
                return value
        return None

    def within(self, most: int) -> int:
        """Return how many do not exceed `most`."""
        return sum(count for value, count in self._counts if value <= most)


def summed(pairs: Iterable[tuple[str, int]]) -> Totals:
    """Return the sum for each word, in alphabetical order."""
    sums: Totals = {}
    for word, count in pairs:
        sums[word] = sums.get(word, 0) + count
    return dict(sorted(sums.items()))
