"""Routes that change nothing: what the checks say, what a rule does with texts, why something was or was not answered."""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from antiphon.clock import Clock
from antiphon.http import MAX_BODY_BYTES
from antiphon.problems import Problem
from rules.adapters.http.bodies import BrandEditor, BrandViewer, Out, StrictRoute
from rules.adapters.http.rules import FindingOut, read_draft, shown
from rules.adapters.http.trial_answers import ExplanationOut, TrialOut, explanation_out, trial_out
from rules.adapters.http.trial_bodies import ExplainIn, LintIn, TestIn
from rules.domain.checking.findings import Finding, error
from rules.domain.model import Rule
from rules.references import Coming
from rules.revisions import RuleService
from rules.trials import TrialService
from rules.vetting import Draft


class Linted(Out):
    """What the checks say of one document; `id` "" when it has none."""

    id: str
    findings: list[FindingOut]


class LintOut(Out):
    """One item a document, in their order."""

    items: list[Linted]


class TestOut(Out):
    """What came of each text in its order, then of the event, then of the recorded one."""

    rule_id: str
    items: list[TrialOut]


def trial_routes(trials: TrialService, rules: RuleService, clock: Clock) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["rules"])
    _lint(router, rules)
    _test(router, trials, clock)
    _explain(router, trials, clock)
    return router


def _lint(router: APIRouter, rules: RuleService) -> None:
    @router.post("/rules:lint")
    async def lint_rules(scope: BrandEditor, body: LintIn) -> LintOut:
        read = [_read(scope.brand, data) for data in body.rules]
        coming = Coming(frozenset(body.campaigns), frozenset(body.links))
        found = iter(await rules.lint(scope.brand, [draft for draft in read if isinstance(draft, Draft)], coming))
        findings = [next(found) if isinstance(draft, Draft) else draft for draft in read]
        return LintOut(
            items=[Linted(id=_id(data), findings=shown(of_one)) for data, of_one in zip(body.rules, findings, strict=True)]
        )


def _read(brand: str, data: Any) -> Draft | Sequence[Finding]:
    """Return what a document means, or why it is none."""
    try:
        return read_draft(brand, data).meaning
    except Problem as problem:
        return [error(problem.code, fault["pointer"], fault["detail"]) for fault in problem.errors]


def _id(data: Any) -> str:
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else ""


def _test(router: APIRouter, trials: TrialService, clock: Clock) -> None:
    @router.post("/rules:test")
    async def test_rule(scope: BrandEditor, body: TestIn) -> TestOut:
        if not body.texts and body.event is None and body.event_id is None:
            raise _missing("/texts", "give texts, an event or the id of a recorded event")
        rule = await _rule(trials, scope.brand, body)
        tried = await trials.test(scope.brand, rule, [text.sample() for text in body.texts])
        if body.event is not None:
            tried.append(await trials.test_event(scope.brand, rule, body.event.event(scope.brand, clock.now().timestamp())))
        if body.event_id is not None:
            tried.append(await trials.test_recorded(scope.brand, rule, body.event_id))
        return TestOut(rule_id=rule.rule_id, items=[trial_out(trial) for trial in tried])


async def _rule(trials: TrialService, brand: str, body: TestIn) -> Rule:
    if (body.rule is None) is (body.rule_id is None):
        raise _missing("/rule", "give either a rule document or the id of a rule")
    if body.rule_id is not None:
        return await trials.rule(brand, body.rule_id)
    try:
        return read_draft(brand, body.rule).meaning.rule
    except Problem as problem:
        at = [{**fault, "pointer": f"/rule{fault['pointer']}"} for fault in problem.errors]
        raise Problem(problem.status, problem.code, problem.detail, errors=at) from problem


def _missing(pointer: str, detail: str) -> Problem:
    return Problem(422, "invalid", f"The request is not complete: {detail}.", errors=[{"pointer": pointer, "detail": detail}])


def _explain(router: APIRouter, trials: TrialService, clock: Clock) -> None:
    @router.post("/explain")
    async def explain(scope: BrandViewer, body: ExplainIn) -> ExplanationOut:
        if (body.event_id is None) is (body.event is None):
            raise _missing("/event_id", "give either the id of a recorded event or an event")
        rule_id = body.rule_id or ""
        if body.event is not None:
            event = body.event.event(scope.brand, clock.now().timestamp())
            return explanation_out(await trials.explain(scope.brand, event, rule_id))
        return explanation_out(await trials.explain_recorded(scope.brand, body.event_id or "", rule_id))
