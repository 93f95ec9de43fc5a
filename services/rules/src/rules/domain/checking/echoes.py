"""The texts that rules may post, and which of them can hold what a condition asks for."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate

from rules.domain.acting import DEFAULT, disclosed
from rules.domain.checking.terms import forms
from rules.domain.checking.ways import formula, needed
from rules.domain.decision import Mode
from rules.domain.leaves import Condition, TextMode
from rules.domain.matching.text import fold, words_form
from rules.domain.model import Answer, BrandSettings, Rule, RuleAction
from rules.domain.templates import LINK_PREFIX, placeholders, render

_SAMPLES: tuple[Mapping[str, str], ...] = ({}, {"author.first_name": "Alex", "author.handle": "alex.example"})
_SAMPLE_LINK = "https://go.example/l/1sample"
_BETWEEN = "\n"
"""Between two texts: in no folded text and in no term."""

_MOST_RECENT = 512
"""Texts beside those that are joined once and for all: joining them takes longer than searching, at every change."""

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
    """Texts by the id of their rule, searched for what a condition cannot do without. Immutable.

    What `previous` made of the same tuples of texts is taken over, until too much of it is out of date.
    """

    def __init__(self, texts: Mapping[str, tuple[Echo, ...]], previous: "Corpus | None" = None) -> None:
        self._texts = texts
        self._filed: Mapping[str, tuple[Echo, ...]] = {}
        self._pages: tuple[_Page, _Page]
        filed, page = (previous._filed, previous._pages[0]) if previous is not None else (self._filed, _Page(()))  # noqa: SLF001
        recent = [echo for name, own in texts.items() if filed.get(name) is not own for echo in own]
        if len(recent) > _MOST_RECENT:
            filed, page, recent = texts, _Page([echo for own in texts.values() for echo in own]), []
        self._filed, self._pages = filed, (page, _Page(recent))

    def holding(self, when: Condition | None) -> Iterator[Echo]:
        """Yield every text in which the condition can hold, and perhaps some more."""
        wanted = needed(formula(when))
        spelled = None
        if wanted is not None and not any(term.squeeze or term.mode not in _IN_PLAIN_SIGHT for term in wanted):
            spelled = [form for term in wanted for form in forms(term)]
        for page in self._pages:
            for echo in page.texts if spelled is None else page.holding(spelled):
                if any(echo is current for current in self._texts.get(echo.rule_id, ())):
                    yield echo


class _Page:
    """Texts, joined to be searched in one go."""

    def __init__(self, texts: Sequence[Echo]) -> None:
        self.texts = texts
        self._joined = _BETWEEN.join([echo.form for echo in texts])
        self._starts = list(accumulate([len(echo.form) + len(_BETWEEN) for echo in texts], initial=0))

    def holding(self, spelled: Iterable[str]) -> Iterator[Echo]:
        """Yield the texts that hold one of the spellings."""
        places = {place for form in spelled for place in self._places(form)}
        for place in sorted(places):
            yield self.texts[place]

    def _places(self, form: str) -> Iterator[int]:
        at = self._joined.find(form)
        while at >= 0:
            place = bisect_right(self._starts, at) - 1
            yield place
            at = self._joined.find(form, self._starts[place + 1])
