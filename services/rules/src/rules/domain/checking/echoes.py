"""The texts that rules may post, and which of them can hold what a condition asks for."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rules.domain.acting import DEFAULT, disclosed
from rules.domain.checking.terms import Term, forms
from rules.domain.checking.ways import Conjunction, Disjunction, Formula, Found, Literal, formula
from rules.domain.decision import Mode
from rules.domain.leaves import Condition, TextMode
from rules.domain.matching.text import fold, words_form
from rules.domain.model import Answer, BrandSettings, Rule, RuleAction
from rules.domain.templates import LINK_PREFIX, placeholders, render

_SAMPLES: tuple[Mapping[str, str], ...] = ({}, {"author.first_name": "Alex", "author.handle": "alex.example"})
_SAMPLE_LINK = "https://go.example/l/1sample"
_BETWEEN = "\n"
"""Between two texts: in no folded text and in no term."""

_IN_PLAIN_SIGHT = frozenset({TextMode.WORDS, TextMode.CONTAINS, TextMode.PREFIX})
"""Ways of looking for a term that only ever find its spelling as it stands."""


@dataclass(frozen=True, slots=True)
class Echo:
    """A text as a rule may post it. `language` as its texts name it, `pointer` its place in the rule document.

    `form`: the text as terms are looked for in it.
    """

    rule_id: str
    text: str
    language: str
    pointer: str
    form: str


def answers(rule: Rule) -> bool:
    """Return whether the rule posts words by itself or after approval."""
    return any(isinstance(action, Answer) and _posts(action, rule) for action in rule.then)


def echoes(rule: Rule, settings: BrandSettings) -> tuple[Echo, ...]:
    """Return the distinct texts that a rule may post, with the brand's disclosure."""
    found: dict[tuple[str, str], Echo] = {}
    for place, action in enumerate(rule.then):
        if not isinstance(action, Answer) or not _posts(action, rule):
            continue
        for language, text, pointer in _texts(action, f"/then/{place}/{action.kind}/text", settings):
            if (text, language) not in found:
                found[text, language] = Echo(rule.rule_id, text, language, pointer, words_form(fold(text)))
    return tuple(found.values())


def _posts(action: RuleAction, rule: Rule) -> bool:
    return Mode.SHADOW not in {action.mode, rule.mode}


def _texts(action: Answer, pointer: str, settings: BrandSettings) -> Iterator[tuple[str, str, str]]:
    """Yield language ("" for the default), text and place."""
    for language, variants in action.texts.items():
        for number, template in enumerate(variants):
            names = placeholders(template)
            links = {name: _SAMPLE_LINK for name in names if name.startswith(LINK_PREFIX)}
            for values in _SAMPLES if names else _SAMPLES[:1]:
                text = disclosed(render(template, {**links, **values}), language, settings)
                yield "" if language == DEFAULT else language, text, f"{pointer}/{language}/{number}"


class Corpus:
    """Texts, searched for what a condition cannot do without."""

    def __init__(self, texts: Sequence[Echo]) -> None:
        self._texts = texts
        self._joined = _BETWEEN.join(echo.form for echo in texts)
        self._starts = list(accumulate((len(echo.form) + len(_BETWEEN) for echo in texts), initial=0))

    def holding(self, when: Condition | None) -> Iterator[Echo]:
        """Yield every text in which the condition can hold, and perhaps some more."""
        needed = _needed(formula(when))
        if needed is None or any(term.squeeze or term.mode not in _IN_PLAIN_SIGHT for term in needed):
            yield from self._texts
            return
        places = {place for term in needed for form in forms(term) for place in self._places(form)}
        for place in sorted(places):
            yield self._texts[place]

    def _places(self, form: str) -> Iterator[int]:
        at = self._joined.find(form)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            yield place
            at = self._joined.find(form, self._starts[place + 1])


def _needed(spread: Formula) -> Collection[Term] | None:
    """Return terms of which at least one is in every text for which the formula holds; None: there are no such terms."""
    match spread:
        case Literal():
            return spread.leaf.terms if isinstance(spread.leaf, Found) and not spread.negated else None
        case Conjunction():
            return min((terms for part in spread.of if (terms := _needed(part)) is not None), key=len, default=None)
        case Disjunction():
            needed = [_needed(part) for part in spread.of]
            known = [terms for terms in needed if terms is not None]
            return [term for terms in known for term in terms] if len(known) == len(needed) else None
