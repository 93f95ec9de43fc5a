"""How a person's words read as an answer to a request for rights.

Rights are given only by a configured phrase, alone and unmistakable. Whatever stands in doubt (a negation or a condition
near the phrase, a question, a refusal beside it) is UNCLEAR and waits for a person; a withdrawal is always heard.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rules.domain.campaign import ConsentPhrases
from rules.domain.decision import ConsentAnswer
from rules.domain.matching.text import patterns, stands_alone

NEAR_WORDS = 3
"""Words before and after a granting phrase in which a negation or condition puts it in doubt. Languages differ in where they
put it ("do not use it", "das erlaube ich nicht"); further away it mostly belongs to something else."""

_DOUBTS = frozenset(
    """
    not no nope never none cannot without don't dont doesn't didn't won't wont can't cant isn't aren't
    nicht nein nie niemals kein keine keinen keinem keiner keinesfalls ohne
    ne pas non jamais sans aucun aucune nunca jamás sin tampoco ningún ninguna
    mai senza nessun nessuna não nao sem nem nenhum nenhuma niet geen nooit nee inte ej aldrig ikke ei
    не нет никогда без değil hayır yok asla

    if only unless but except maybe perhaps wenn falls nur außer ausser aber vielleicht sofern
    si seulement sauf mais solo sólo salvo pero quizás quizas se soltanto tranne ma forse só exceto mas talvez
    als alleen maar misschien если только но
    """.casefold().split()
)
"""Negations, then conditions and afterthoughts, in the languages that people answer in. Some mean something else in another
one ("mai", "se", "ma"); the price is that a person reads the answer."""

_SENTENCE_END = re.compile(r"[.!?\u2026\u3002\uff01\uff1f\u061f\n]")
_QUESTION_MARKS = "?\uff1f\u061f"
_WORD = re.compile(r"[^\s.,;:!?\u2026\"()\u201c\u201d\u00ab\u00bb]+")

Span = tuple[int, int]


class Reading(NamedTuple):
    """An answer, and the configured phrase that was found ("" when none was)."""

    answer: ConsentAnswer
    phrase: str = ""


class _Found(NamedTuple):
    phrase: str
    span: Span


def read(phrases: ConsentPhrases, text: str) -> Reading | None:
    """Return how a text reads; None when it holds no phrase. `text` is in the form in which words are looked for."""
    refused = list(_occurrences(phrases.refused, text))
    withdrawn = list(_occurrences(phrases.withdrawn, text))
    granted = [found for found in _occurrences(phrases.granted, text) if not _is_inside(found, (*refused, *withdrawn))]
    if withdrawn:
        return Reading(ConsentAnswer.WITHDRAWN, withdrawn[0].phrase)
    if refused:
        return Reading(ConsentAnswer.UNCLEAR if granted else ConsentAnswer.REFUSED, refused[0].phrase)
    if not granted:
        return None
    clear = not any(_is_doubtful(text, found.span) for found in granted)
    return Reading(ConsentAnswer.GRANTED if clear else ConsentAnswer.UNCLEAR, granted[0].phrase)


def _occurrences(phrases: Iterable[str], text: str) -> Iterator[_Found]:
    """Yield each place where a phrase stands as words of its own."""
    for phrase in phrases:
        for form in patterns(phrase):
            start = text.find(form)
            while start >= 0:
                end = start + len(form)
                if stands_alone(text, start, end):
                    yield _Found(phrase, (start, end))
                start = text.find(form, start + 1)


def _is_inside(found: _Found, others: Iterable[_Found]) -> bool:
    """Tell whether a phrase is only a part of a longer one that says the opposite ("ok to share" in "not ok to share")."""
    start, end = found.span
    return any(first <= start and end <= last for _, (first, last) in others)


def _is_doubtful(text: str, span: Span) -> bool:
    start, end = span
    before, after = _WORD.findall(text[:start]), _WORD.findall(text[end:])
    near = (*before[-NEAR_WORDS:], *after[:NEAR_WORDS])
    return any(_turns(word) for word in near) or _is_asked(text, end)


def _turns(word: str) -> bool:
    """Tell whether a word turns or binds what stands beside it; "n'autorise" is a negation of its own."""
    return word in _DOUBTS or word.startswith("n'") or word.endswith("n't")


def _is_asked(text: str, end: int) -> bool:
    """Tell whether the sentence that goes on behind a phrase is a question."""
    stop = _SENTENCE_END.search(text, end)
    return stop is not None and stop[0] in _QUESTION_MARKS
