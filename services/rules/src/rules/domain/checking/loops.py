"""Loop safety: no answer of the brand may trigger a rule that answers.

Own accounts are never answered; this is the net below that net, for a second robot that repeats what it reads. Every
text that a rule can post is taken as if it came back as a comment, a reply or a message on a platform that the rule
answers on. Names of people cannot be known, so placeholders stand with a sample, with their default, and with nothing.
"""

from collections.abc import Collection, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace

from rules.domain.checking.echoes import Corpus, Echo, answers, echoes
from rules.domain.checking.examples import Understand
from rules.domain.checking.findings import Finding, error, listed
from rules.domain.checking.implication import meet
from rules.domain.checking.placing import alone, placed, unbarred
from rules.domain.evaluate import evaluate
from rules.domain.event import NOTHING_UNDERSTOOD
from rules.domain.explain import matched_terms
from rules.domain.matching.index import Snapshot, build_snapshot, merge_snapshot
from rules.domain.matching.vocabulary import MatcherFactory
from rules.domain.model import BrandSettings, Rule, Tag, Where
from rules.domain.state import EMPTY

CODE = "self_triggering"

MOST_FINDINGS = 20
"""Of one kind: who mends the first has often mended the others."""

_COMES_BACK_AS = frozenset({"comment", "reply", "message"})
_ANSWERED_BELOW = frozenset({"comment", "reply", "review", "message", "story_mention"})
"""Kinds of events whose answers stand below them, never on a post itself."""

_EVERYWHERE = Where()
_PROBE = Tag(tags=("probe",))
_SHOWN_CHARACTERS = 80


def comes_back(source: Where, target: Where) -> bool:
    """Return whether an answer given where `source` looks may come back where `target` looks."""
    if not meet(source.platforms, target.platforms) or not meet(source.channels, target.channels):
        return False
    if not meet(source.objects_only, target.objects_only) or {source.ads, target.ads} == {"only", "exclude"}:
        return False
    if source.objects_only and source.objects_only <= target.objects_except:
        return False
    kinds = _COMES_BACK_AS & target.kinds if target.kinds else _COMES_BACK_AS
    if target.top_level_only and source.kinds and source.kinds <= _ANSWERED_BELOW:
        kinds &= {"message"}
    return bool(kinds)


@dataclass(frozen=True, slots=True)
class _Watched:
    """A rule in force that answers, with what is prepared of it."""

    rule: Rule
    probe: Rule
    echoes: tuple[Echo, ...]


class Watch:
    """The answering rules in force of one brand, ready to be asked what a text would trigger. Immutable.

    `previous`: a watch over mostly the same `Rule` objects and the same settings; what it prepared is taken over.
    """

    def __init__(
        self, rules: Iterable[Rule], settings: BrandSettings, factory: MatcherFactory, previous: "Watch | None" = None
    ) -> None:
        self._settings = unbarred(settings)
        self._factory = factory
        known: Mapping[str, _Watched] = previous._watched if previous is not None and previous.is_for(settings) else {}  # noqa: SLF001
        self._watched: dict[str, _Watched] = {}
        for rule in rules:
            ready = known.get(rule.rule_id)
            if ready is not None and ready.rule is rule:
                self._watched[rule.rule_id] = ready
            elif answers(rule):
                self._watched[rule.rule_id] = self._prepared(rule)
        probes = [watched.probe for watched in self._watched.values()]
        self._snapshot: Snapshot = self._built(probes, previous._snapshot if previous is not None else None)  # noqa: SLF001
        texts = {name: watched.echoes for name, watched in self._watched.items()}
        self._corpus: Corpus = Corpus(texts, previous._corpus if previous is not None else None)  # noqa: SLF001

    @property
    def is_overgrown(self) -> bool:
        """Return whether so much has changed that `merged` makes the next change cheaper."""
        return self._snapshot.is_overgrown

    def merged(self) -> "Watch":
        """Return a watch that finds the same. Others may follow from this one meanwhile; one merge at a time may."""
        merged = copy(self)
        merged._snapshot = merge_snapshot(self._snapshot, self._factory)  # noqa: SLF001
        return merged

    def is_for(self, settings: BrandSettings) -> bool:
        """Return whether what is prepared is right under these settings of the brand."""
        return self._settings == unbarred(settings)

    def _prepared(self, rule: Rule) -> _Watched:
        return _Watched(rule, _probe(rule), echoes(rule, self._settings))

    def _built(self, probes: Iterable[Rule], previous: Snapshot | None = None) -> Snapshot:
        return build_snapshot(0, [self._settings], probes, (), self._factory, previous)

    def findings(self, rule: Rule, understand: Understand, *, asked: Collection[str] = ()) -> tuple[Finding, ...]:
        """Return an error for each text that would trigger a rule if this rule were in force: its own texts and others'.

        `asked`: ids of rules whose own texts are asked about as well, so that they need not be looked at from here.
        """
        if not answers(rule):
            return ()
        own = self._prepared(rule)
        alone_in_force = self._built([own.probe])
        return (
            *self._by_own_texts(own, alone_in_force, understand),
            *self._by_others(own, alone_in_force, understand, {rule.rule_id, *asked}),
        )

    def _by_own_texts(self, own: _Watched, alone_in_force: Snapshot, understand: Understand) -> list[Finding]:
        found: list[Finding] = []
        for echo in own.echoes:
            triggered = self._triggered(self._snapshot, echo, understand) - {own.rule.rule_id}
            others = [self._watched[name].rule for name in sorted(triggered)]
            itself = [own.rule] if self._triggered(alone_in_force, echo, understand) else []
            for other in (*itself, *others):
                if comes_back(own.rule.where, other.where) and len(found) < MOST_FINDINGS:
                    name = "this rule itself" if other is own.rule else f"the rule {other.rule_id!r}"
                    found.append(
                        error(CODE, echo.pointer, f"the text {_shown(echo)} would trigger {name}{self._why(echo, other)}")
                    )
        return found

    def _by_others(
        self, own: _Watched, alone_in_force: Snapshot, understand: Understand, asked: Collection[str]
    ) -> list[Finding]:
        found: list[Finding] = []
        for echo in self._corpus.holding(own.probe.when):
            other = self._watched[echo.rule_id].rule
            if len(found) == MOST_FINDINGS:
                break
            if other.rule_id in asked or not comes_back(other.where, own.rule.where):
                continue
            if self._triggered(alone_in_force, echo, understand):
                detail = f"the text {_shown(echo)} of the rule {other.rule_id!r} would trigger this rule"
                found.append(error(CODE, "/when", detail + self._why(echo, own.rule)))
        return found

    def _triggered(self, snapshot: Snapshot, echo: Echo, understand: Understand) -> set[str]:
        """Return the ids of the rules that would act on the text; it is understood only if some rule matches its words."""
        event = placed(_EVERYWHERE, echo.text, 0.0, brand=self._settings.brand)
        by_words, _ = evaluate(snapshot, EMPTY, event, NOTHING_UNDERSTOOD)
        if not by_words.rules:
            return set()
        decision, _ = evaluate(snapshot, EMPTY, event, understand(echo.text, echo.language))
        return {action.rule_id for action in decision.actions}

    def _why(self, echo: Echo, target: Rule) -> str:
        terms = matched_terms(target.when, echo.text, self._factory)
        return f": it holds {listed(terms)}" if terms else ", which asks for no words"


def _shown(echo: Echo) -> str:
    return repr(echo.text if len(echo.text) <= _SHOWN_CHARACTERS else echo.text[: _SHOWN_CHARACTERS - 1] + "…")


def _probe(rule: Rule) -> Rule:
    """Return a rule with the same conditions that looks everywhere and that nothing else keeps from acting."""
    return replace(alone(rule), where=_EVERYWHERE, then=(_PROBE,))
