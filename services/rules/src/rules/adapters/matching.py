"""Finding many terms in one pass, in native code: an Aho–Corasick automaton for words, RE2 for regular expressions."""

from collections.abc import Collection, Sequence

import re2
from ahocorasick_rs import AhoCorasick

from rules.domain.matching.expressions import ExpressionError, translate
from rules.domain.matching.vocabulary import ExpressionMatcher, KeywordMatcher, Matchers

_SET_MEMORY = 256 * 1024 * 1024
"""Bytes that the expressions of a brand may take; with the default of 8 MB a set of a few thousand does not compile.

It is a bound: what is taken grows with the expressions and with the texts that were seen.
"""

MAX_PROGRAM = 2_000
"""Instructions of one expression. A text's time grows with them, and all brands of a partition wait for it."""


def build_matcher(keywords: Sequence[str], expressions: Sequence[str]) -> Matchers:
    """Return the finders of distinct keywords and of distinct translated expressions; None where there are none."""
    return Matchers(_keywords(keywords) if keywords else None, _expressions(expressions) if expressions else None)


def _keywords(keywords: Sequence[str]) -> KeywordMatcher:
    automaton = AhoCorasick(keywords, store_patterns=False)

    def find(text: str) -> Sequence[tuple[int, int, int]]:
        hits: list[tuple[int, int, int]] = automaton.find_matches_as_indexes(text, overlapping=True)
        return hits

    return find


def _expressions(expressions: Sequence[str]) -> ExpressionMatcher:
    sets = _compiled(expressions, 0)

    def find(text: str) -> Collection[int]:
        encoded = text.encode(errors="replace")
        return [first + number for first, compiled in sets for number in compiled.Match(encoded) or ()]

    return find


def _compiled(expressions: Sequence[str], first: int) -> list[tuple[int, "re2.Set"]]:
    """Return the expressions, the first of which has the number `first`, as one set, or as several when one is too large."""
    together = re2.Set.SearchSet(_options())
    for expression in expressions:
        together.Add(expression)
    try:
        together.Compile()
    except re2.error:
        if len(expressions) == 1:
            raise
        half = len(expressions) // 2
        return [*_compiled(expressions[:half], first), *_compiled(expressions[half:], first + half)]
    return [(first, together)]


def _options() -> "re2.Options":
    options = re2.Options()
    options.max_mem = _SET_MEMORY
    options.log_errors = False
    return options


def check_expression(expression: str) -> None:
    """Raise ExpressionError, naming what to write instead, for a regular expression that no rule may have."""
    try:
        compiled = re2.compile(translate(expression), _options())
    except re2.error as error:
        raise ExpressionError(f"not a regular expression of RE2: {_reason(error)}") from error
    if compiled.programsize > MAX_PROGRAM:
        raise ExpressionError(
            f"too costly ({compiled.programsize} steps, at most {MAX_PROGRAM}): "
            "count fewer repetitions, or write \\w instead of \\p{…}"
        )
    if compiled.search("") is not None:
        raise ExpressionError("also found in an empty text, so it would be in every comment; ask for at least one character")


def _reason(error: Exception) -> str:
    told = error.args[0] if error.args else ""
    return told.decode(errors="replace") if isinstance(told, bytes) else str(told)
