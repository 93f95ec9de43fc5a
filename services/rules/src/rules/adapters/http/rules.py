"""Routes of rules and their versions."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import AwareDatetime, ValidationError

from rules.adapters.http.bodies import (
    MAX_BODY_BYTES,
    BrandApprover,
    BrandEditor,
    BrandViewer,
    Changed,
    Comment,
    In,
    Limit,
    Out,
    RequiredMatch,
    SlugCursor,
    SlugPath,
    StrictRoute,
    changed,
    document,
    next_page,
)
from rules.adapters.http.documents import (
    FAR,
    Before,
    CommentQuery,
    Version,
    Versions,
    described,
    documented,
    faults,
    invalid,
    versions_page,
    with_document,
)
from rules.adapters.schema.document import RuleDocument, document_bytes, parse_document
from rules.domain.checking.examples import Example
from rules.domain.checking.findings import Finding
from rules.entities import Rule, RuleState, is_slug
from rules.ports import RuleFilter
from rules.revisions import RuleDraft, RuleService, Vetted
from rules.trail import RuleVersion
from rules.vetting import Draft

Search = Annotated[str, Query(max_length=100, description="a part of the id or the name, whatever its case")]


class Move(In):
    """A change of state; `comment` goes to the audit log."""

    comment: Comment = ""


class Activation(Move):
    """Which version is to act: the newest unless told."""

    version: Version | None = None


class Rollback(Move):
    """Which earlier version is to act."""

    version: Version


class RuleLine(Out):
    """A rule in a list; `active_version` is the last that acted, 0 if none did."""

    rule_id: str
    name: str
    state: RuleState
    latest_version: int
    active_version: int
    generation: int
    changed_time: datetime


class RuleOut(RuleLine):
    """A rule with its newest document."""

    document: Any


class FindingOut(Out):
    """A remark of the checks: an `error` keeps a rule from becoming active; `pointer` is its place in the rule document."""

    severity: Literal["error", "warning"]
    code: str
    pointer: str
    detail: str


class RuleChanged(RuleLine, Changed):
    """A changed rule, and what the checks say about the version."""

    findings: list[FindingOut]


class RuleListed(RuleLine):
    """A rule in a list, with its newest document where documents were asked for and it was not saved just now."""

    document: Any = None


class Rules(Out):
    """A page of rules; `next` is null on the last."""

    items: list[RuleListed]
    next: str | None


_BODY, RULE_SCHEMAS = described(RuleDocument)
"""The rule document in the API's description, and the parts of its schema."""


def rule_routes(rules: RuleService) -> APIRouter:
    """Return the routes."""
    router = APIRouter(prefix="/v1/brands/{brand}/rules", route_class=StrictRoute, max_body_size=MAX_BODY_BYTES, tags=["rules"])
    _saves(router, rules)
    _reads(router, rules)
    _moves(router, rules)
    return router


def _saves(router: APIRouter, rules: RuleService) -> None:
    @router.post("", status_code=201, openapi_extra=_BODY)
    async def create_rule(scope: BrandEditor, request: Request, response: Response, comment: CommentQuery = "") -> RuleChanged:
        draft = read_draft(scope.brand, await document(request))
        return _changed(response, await rules.create(scope.by, scope.brand, draft, comment))

    @router.put("/{rule}", openapi_extra=_BODY)
    async def save_rule(
        scope: BrandEditor, rule: SlugPath, match: RequiredMatch, request: Request, response: Response, comment: CommentQuery = ""
    ) -> RuleChanged:
        draft = read_draft(scope.brand, await document(request))
        if draft.rule_id != rule:
            raise invalid("rule", [{"pointer": "/id", "detail": f"must be {rule!r}, as in the path"}])
        return _changed(response, await rules.save(scope.by, scope.brand, draft, match, comment))


def _changed(response: Response, vetted: Vetted) -> RuleChanged:
    return changed(response, vetted.saved, RuleChanged, findings=shown(vetted.findings))


def shown(findings: Iterable[Finding]) -> list[FindingOut]:
    """Return findings as they are answered."""
    return [FindingOut.model_validate(finding) for finding in findings]


def _reads(router: APIRouter, rules: RuleService) -> None:
    @router.get("", response_model_exclude_unset=True)
    async def list_rules(
        scope: BrandViewer,
        state: RuleState | None = None,
        q: Search = "",
        changed_after: AwareDatetime | None = None,
        documents: Annotated[bool, Query(description="each rule with its newest document")] = False,
        after: SlugCursor = "",
        limit: Limit = 50,
    ) -> Rules:
        found = await rules.rules(scope.brand, RuleFilter(state=state, text=q, changed_after=changed_after), after, limit)
        told = await rules.documents(found) if documents else {}
        items = [_listed(rule, told.get(rule.rule_id)) for rule in found]
        return Rules(items=items, next=next_page(found, limit))

    @router.get("/{rule}")
    async def read_rule(scope: BrandViewer, rule: SlugPath, response: Response) -> RuleOut:
        found = await rules.rule(scope.brand, rule)
        version = await rules.version(scope.brand, rule, found.latest_version)
        return with_document(response, found, RuleOut, version.document)

    @router.get("/{rule}/versions")
    async def list_versions(scope: BrandViewer, rule: SlugPath, before: Before = FAR, limit: Limit = 20) -> Versions:
        found = await rules.versions(scope.brand, rule, before, limit)
        return versions_page(found, limit)


def _listed(rule: Rule, document: bytes | None) -> RuleListed:
    return RuleListed.model_validate(rule) if document is None else documented(rule, RuleListed, document)


def _moves(router: APIRouter, rules: RuleService) -> None:
    @router.post("/{rule}:activate")
    async def activate_rule(
        scope: BrandApprover, rule: SlugPath, match: RequiredMatch, response: Response, body: Activation | None = None
    ) -> RuleChanged:
        told = body or Activation()
        saved = await rules.activate(scope.by, scope.brand, rule, match, told.version, told.comment)
        return _changed(response, saved)

    @router.post("/{rule}:pause")
    async def pause_rule(
        scope: BrandApprover, rule: SlugPath, match: RequiredMatch, response: Response, body: Move | None = None
    ) -> RuleChanged:
        return _changed(response, Vetted(await rules.pause(scope.by, scope.brand, rule, match, (body or Move()).comment)))

    @router.post("/{rule}:archive")
    async def archive_rule(
        scope: BrandApprover, rule: SlugPath, match: RequiredMatch, response: Response, body: Move | None = None
    ) -> RuleChanged:
        return _changed(response, Vetted(await rules.archive(scope.by, scope.brand, rule, match, (body or Move()).comment)))

    @router.post("/{rule}:rollback")
    async def roll_back_rule(
        scope: BrandApprover, rule: SlugPath, match: RequiredMatch, body: Rollback, response: Response
    ) -> RuleChanged:
        saved = await rules.roll_back(scope.by, scope.brand, rule, match, body.version, body.comment)
        return _changed(response, saved)


def read_draft(brand: str, data: Any) -> RuleDraft:
    """Return the draft in a rule document, checked as the engine will read it. Raises 422 with a pointer at each fault."""
    try:
        parsed = RuleDocument.model_validate(data)
        canonical = document_bytes(parsed)
        meaning = _meaning(brand, 1, parse_document(canonical))  # what the engine could not read must not be saved
    except ValidationError as error:
        raise invalid("rule", faults(error)) from error
    except ValueError as error:
        raise invalid("rule", [{"pointer": "", "detail": str(error)}]) from error
    if not is_slug(parsed.id):
        form = "lower-case letters, digits and hyphens, at most 63, no hyphen in front"
        raise invalid("rule", [{"pointer": "/id", "detail": form}])
    return RuleDraft(rule_id=parsed.id, name=parsed.name, state=parsed.state, document=canonical, meaning=meaning)


def read_version(version: RuleVersion) -> Draft:
    """Return what a stored version means. Raises ValueError when this release cannot read it."""
    return _meaning(version.brand, version.version, parse_document(version.document))


def _meaning(brand: str, version: int, parsed: RuleDocument) -> Draft:
    examples = tuple(Example(example.text, example.language, example.acts) for example in parsed.examples)
    return Draft(parsed.to_domain(brand, version), examples, active=parsed.state == "active")
