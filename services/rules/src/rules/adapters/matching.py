"""Finding many keywords in one pass: an Aho–Corasick automaton in native code."""

from collections.abc import Sequence

from ahocorasick_rs import AhoCorasick

from rules.domain.vocabulary import Matcher


def build_matcher(keywords: Sequence[str]) -> Matcher:
    """Return a finder of (number of the keyword, start, end) for all, also overlapping, occurrences."""
    automaton = AhoCorasick(keywords, store_patterns=False)

    def find(text: str) -> Sequence[tuple[int, int, int]]:
        hits: list[tuple[int, int, int]] = automaton.find_matches_as_indexes(text, overlapping=True)
        return hits

    return find
