"""Checks of a rule's words: terms that add nothing, languages without a text, placeholders that nothing fills."""

from collections.abc import Iterator, Sequence

from rules.domain.acting import PRIVATE_KINDS, campaign_of, disclosed, template_language
from rules.domain.checking.findings import Finding, error, listed, warning
from rules.domain.checking.implication import clash
from rules.domain.checking.terms import Term, implies, terms_of
from rules.domain.checking.ways import Literal, children, formula, ways
from rules.domain.explain import found_terms
from rules.domain.leaves import Condition, LanguageLeaf, TextLeaf, TextMode
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import MODERATION_SLOT, PRIVATE_SLOT, Answer, BrandSettings, PrivateReply, Rule, Where
from rules.domain.templates import FILLED, LINK_PREFIX, OF_CAMPAIGN, PUBLIC_CHARACTERS, excess, placeholders, worst_case

Lists = list[tuple[str, tuple[Term, ...]]]
"""Lists of terms, each with its pointer."""


def term_findings(rule: Rule, factory: MatcherFactory) -> Iterator[Finding]:
    """Yield terms that another one of the same list makes needless, and expressions that are found in every text."""
    lists = list(_lists(rule.when, "/when")) if rule.when is not None else []
    expressions = [term for _, terms in lists for term in terms if term.mode is TextMode.REGEX]
    everywhere = found_terms(expressions, "", factory) if expressions else frozenset()
    for pointer, terms in lists:
        for place, term in enumerate(terms):
            if term in everywhere:
                yield error("matches_everything", f"{pointer}/{place}", f"{term.text!r} matches the empty text, so every text")
            elif covering := _covering(terms, place):
                detail = f"{term.text!r} adds nothing: wherever it is found, {covering.text!r} is found too"
                yield warning("covered_term", f"{pointer}/{place}", detail)


def _lists(condition: Condition, pointer: str) -> Iterator[tuple[str, tuple[Term, ...]]]:
    if isinstance(condition, TextLeaf):
        yield f"{pointer}/text/any", terms_of(condition, condition.any)
        yield f"{pointer}/text/none", terms_of(condition, condition.none)
    for part, place in children(condition, pointer):
        yield from _lists(part, place)


def _covering(terms: Sequence[Term], place: int) -> Term | None:
    """Return a term of the list without which nothing changes for this one; of two that mean the same, the first stays."""
    term = terms[place]
    for other_place, other in enumerate(terms):
        if other_place != place and implies(term, other) and (other_place < place or not implies(other, term)):
            return other
    return None


def action_findings(rule: Rule, settings: BrandSettings) -> Iterator[Finding]:
    """Yield what is wrong with the actions under the brand's languages and disclosures."""
    spoken = [language.lower() for language in settings.languages if _can_be(rule, language.lower())]
    for place, action in enumerate(rule.then):
        private = bool(rule.where.kinds) and rule.where.kinds <= PRIVATE_KINDS
        if private and action.slot in {MODERATION_SLOT, PRIVATE_SLOT}:
            yield warning(
                "action_impossible", f"/then/{place}/{action.kind}", f"no platform can {_deed(action.kind)} a private message"
            )
        if isinstance(action, Answer):
            pointer = f"/then/{place}/{action.kind}/text"
            yield from _text_findings(action, pointer, spoken)
            yield from _unfilled_findings(action, pointer, FILLED | OF_CAMPAIGN if campaign_of(rule) else FILLED)
            yield from _length_findings(action, pointer, rule.where, settings)


def _deed(kind: str) -> str:
    return "answer privately to" if kind == "private_reply" else kind


def _text_findings(action: Answer, pointer: str, spoken: Sequence[str]) -> Iterator[Finding]:
    missing = [language for language in spoken if template_language(action.texts, language) is None]
    if missing:
        yield warning("missing_language", pointer, f"no text for {listed(missing)} and no default: the rule is silent there")


def _unfilled_findings(action: Answer, pointer: str, filled: frozenset[str]) -> Iterator[Finding]:
    for language, variants in action.texts.items():
        for number, template in enumerate(variants):
            names = sorted(name for name in placeholders(template) - filled if not name.startswith(LINK_PREFIX))
            if names:
                detail = f"nothing fills {listed(names)} yet, so the default is always posted"
                yield warning("placeholder_unfilled", f"{pointer}/{language}/{number}", detail)


def _length_findings(action: Answer, pointer: str, where: Where, settings: BrandSettings) -> Iterator[Finding]:
    platforms = sorted(where.platforms or PUBLIC_CHARACTERS)
    private = isinstance(action, PrivateReply) or not where.kinds.isdisjoint(PRIVATE_KINDS)
    for language, variants in action.texts.items() if settings.disclosures else ():
        words = disclosed("", language, settings)
        for number, (characters, encoded) in enumerate(map(worst_case, variants)):
            too_long = excess(characters + len(words), encoded + len(words.encode()), platforms, private=private)
            if too_long:
                detail = f"with the brand's disclosure it can become {too_long}; then it is not posted"
                yield warning("too_long", f"{pointer}/{language}/{number}", detail)


def _can_be(rule: Rule, language: str) -> bool:
    """Return whether the rule's conditions leave room for a text in the language."""
    alternatives = ways(formula(rule.when))
    spoken = Literal(LanguageLeaf(frozenset({language})), False, "")
    return alternatives is None or any(clash((*way, spoken)) is None for way in alternatives)
