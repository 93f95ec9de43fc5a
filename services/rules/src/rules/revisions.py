"""The use cases of rules: each save makes an immutable version; what acts is a pointer to one of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from antiphon.auth import Principal, Role
from antiphon.errors import Transient
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Detail, Match, Saved, not_found
from rules.domain.checking.examples import EXAMPLE_FAILED
from rules.domain.checking.findings import Finding, errors
from rules.entities import Rule, RuleState
from rules.ports import ConfigStore, RuleFilter, TakenError
from rules.references import Coming, References
from rules.trail import RuleVersion
from rules.vetting import Draft, Vetting


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A validated rule document; `document` is its canonical JSON, the rest is read from it."""

    rule_id: str
    name: str
    state: RuleState
    document: bytes
    meaning: Draft


@dataclass(frozen=True, slots=True)
class Vetted:
    """A saved change of a rule, and what is to be said of the version it is about."""

    saved: Saved[Rule]
    findings: tuple[Finding, ...] = ()


class RuleService:
    """Rules and their versions. An editor saves drafts; whatever makes a rule act, or stop acting, needs an approver.

    `read` gives the meaning of a stored document; it raises ValueError for one that this release cannot read.
    """

    def __init__(
        self,
        *,
        store: ConfigStore,
        changes: Changes,
        configuration: ConfigurationService,
        vetting: Vetting,
        references: References,
        read: Callable[[RuleVersion], Draft],
    ) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration
        self._vetting = vetting
        self._references = references
        self._read = read

    async def rule(self, brand: str, rule_id: str) -> Rule:
        """Return where a rule stands. Raises 404."""
        found = await self._store.get(Rule, brand, rule_id)
        if found is None:
            raise not_found("rule", rule_id)
        return found

    async def rules(self, brand: str, wanted: RuleFilter, after: str, limit: int) -> Sequence[Rule]:
        """Return a brand's rules. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.rules(brand, wanted, after, limit)

    async def documents(self, rules: Sequence[Rule]) -> Mapping[str, bytes]:
        """Return the newest document of each rule by its id; one that was saved just now may be missing."""
        return {version.rule_id: version.document for version in await self._store.newest_versions(rules)}

    async def versions(self, brand: str, rule_id: str, before: int, limit: int) -> Sequence[RuleVersion]:
        """Return a rule's versions below `before`, the newest first. Raises 404."""
        await self.rule(brand, rule_id)
        return await self._store.versions(brand, rule_id, before, limit)

    async def version(self, brand: str, rule_id: str, version: int) -> RuleVersion:
        """Return one version. Raises 404."""
        found = await self.versions(brand, rule_id, version + 1, 1)
        if not found or found[0].version != version:
            raise not_found("version", str(version))
        return found[0]

    async def meaning(self, brand: str, rule_id: str, version: int | None = None) -> Draft:
        """Return what a version (None: the newest) of a rule means. Raises 404, 409 when this release cannot read it."""
        found = await self.rule(brand, rule_id)
        chosen = _existing(found, version or found.latest_version)
        stored = await self._store.versions(brand, rule_id, chosen + 1, 1)
        if not stored or stored[0].version != chosen:
            raise Transient(f"version {chosen} of the rule is still being written")
        try:
            return self._read(stored[0])
        except ValueError as error:
            raise Problem(409, "unreadable_version", f"This release cannot read version {chosen}; save it anew.") from error

    async def create(self, by: Principal, brand: str, draft: RuleDraft, comment: str) -> Vetted:
        """Save a new rule. Raises 404, 403 when it would act and the caller is no approver, 409 when it exists, and as `save`."""
        await self._configuration.brand(brand)
        _allow_state(by, draft)
        findings = await self._vetted(brand, draft)
        rule = Rule(
            brand=brand,
            rule_id=draft.rule_id,
            name=draft.name,
            state=draft.state,
            active_version=1 if draft.state == "active" else 0,
            changed_time=self._changes.now(),
            actor=by.key_id,
        )
        detail = {"version": 1, "state": rule.state, "comment": comment}
        try:
            saved = await self._changes.create(rule, "rule.create", detail, version=_version(rule, draft, comment))
        except TakenError as error:
            raise Problem(409, "exists", f"The rule {draft.rule_id!r} exists already; PUT a new version of it.") from error
        return Vetted(saved, findings)

    async def save(self, by: Principal, brand: str, draft: RuleDraft, match: Match, comment: str) -> Vetted:
        """Save a new version. A draft changes nothing that acts; any other state in the document is taken on, by an approver.

        Raises 422 when an example fails, and when a rule that is to act has errors; 409 when there are too many rules.
        """
        _allow_state(by, draft)
        await self.rule(brand, draft.rule_id)
        findings = await self._vetted(brand, draft)

        def update(found: Rule) -> Rule:
            saved = replace(found, latest_version=found.latest_version + 1, name=draft.name)
            if draft.state == "draft":
                return saved
            active = saved.latest_version if draft.state == "active" else found.active_version
            return replace(saved, state=draft.state, active_version=active)

        saved = await self._changes.change(
            lambda: self.rule(brand, draft.rule_id),
            match,
            update,
            by=by,
            action="rule.save",
            detail=lambda saved: {"version": saved.latest_version, "state": saved.state, "comment": comment},
            version=lambda saved: _version(saved, draft, comment),
        )
        return Vetted(saved, findings)

    async def lint(self, brand: str, drafts: Sequence[Draft], coming: Coming) -> list[tuple[Finding, ...]]:
        """Return what is to be said of each of several rules, as if they and what is coming were saved together. Raises 404."""
        await self._configuration.brand(brand)
        named = await self._references.findings(brand, drafts, coming)
        return [(*one, *more) for one, more in zip(named, await self._vetting.lint(brand, drafts), strict=True)]

    async def _vetted(self, brand: str, draft: RuleDraft) -> tuple[Finding, ...]:
        """Return what is to be said of a draft. Raises 409 and 422 (see `save`)."""
        if draft.state == "active":
            self._vetting.check_room(brand, draft.rule_id)
        findings = (
            *(await self._references.findings(brand, [draft.meaning]))[0],
            *await self._vetting.findings(brand, draft.meaning),
        )
        failed = [finding for finding in findings if finding.code == EXAMPLE_FAILED]
        if failed:
            raise _refused(422, "example_failed", "The rule does not do what its examples say; see errors.", failed)
        if draft.state == "active" and errors(findings):
            raise _refused(422, "unsafe_rule", "It may not act like this; see errors. It can be saved as a draft.", findings)
        return findings

    async def activate(self, by: Principal, brand: str, rule_id: str, match: Match, version: int | None, comment: str) -> Vetted:
        """Let a version (None: the newest) act. Raises 404 for an unknown version, 409 when it has errors."""
        chosen = version or (await self.rule(brand, rule_id)).latest_version
        findings = await self._may_act(brand, rule_id, chosen)

        def update(found: Rule) -> Rule:
            if version is None and found.latest_version != chosen:
                raise Problem(412, "changed_meanwhile", "A newer version was saved meanwhile; look at it first.")
            return replace(found, state="active", active_version=_existing(found, chosen))

        return Vetted(await self._move(by, brand, rule_id, match, update, "rule.activate", comment), findings)

    async def _may_act(self, brand: str, rule_id: str, version: int) -> tuple[Finding, ...]:
        """Return what is to be said of a stored version. Raises 404, 409 when it may not act."""
        meaning = replace(await self.meaning(brand, rule_id, version), active=True)
        self._vetting.check_room(brand, rule_id)
        findings = (
            *(await self._references.findings(brand, [meaning]))[0],
            *await self._vetting.findings(brand, meaning),
        )
        if errors(findings):
            raise _refused(409, "unsafe_rule", f"Version {version} may not act; see errors.", findings)
        return findings

    async def pause(self, by: Principal, brand: str, rule_id: str, match: Match, comment: str) -> Saved[Rule]:
        """Stop an active rule. Raises 409 when it is not active."""

        def update(found: Rule) -> Rule:
            return replace(_active(found, "paused"), state="paused")

        return await self._move(by, brand, rule_id, match, update, "rule.pause", comment)

    async def archive(self, by: Principal, brand: str, rule_id: str, match: Match, comment: str) -> Saved[Rule]:
        """Put a rule aside, whatever its state; its versions are kept."""
        return await self._move(
            by, brand, rule_id, match, lambda found: replace(found, state="archived"), "rule.archive", comment
        )

    async def roll_back(self, by: Principal, brand: str, rule_id: str, match: Match, version: int, comment: str) -> Vetted:
        """Let an earlier version of an active rule act again. Raises 404 for an unknown version, 409 unless active and safe."""
        _active(await self.rule(brand, rule_id), "rolled back")
        findings = await self._may_act(brand, rule_id, version)

        def update(found: Rule) -> Rule:
            return replace(_active(found, "rolled back"), active_version=_existing(found, version))

        return Vetted(await self._move(by, brand, rule_id, match, update, "rule.rollback", comment), findings)

    async def _move(
        self, by: Principal, brand: str, rule_id: str, match: Match, update: Callable[[Rule], Rule], action: str, comment: str
    ) -> Saved[Rule]:
        def detail(moved: Rule) -> Detail:
            return {"state": moved.state, "version": moved.active_version, "comment": comment}

        return await self._changes.change(lambda: self.rule(brand, rule_id), match, update, by=by, action=action, detail=detail)


def _refused(status: int, code: str, detail: str, findings: Sequence[Finding]) -> Problem:
    return Problem(status, code, detail, errors=[asdict(finding) for finding in findings])


def _version(rule: Rule, draft: RuleDraft, comment: str) -> RuleVersion:
    return RuleVersion(
        brand=rule.brand,
        rule_id=rule.rule_id,
        version=rule.latest_version,
        document=draft.document,
        author=rule.actor,
        time=rule.changed_time,
        comment=comment,
    )


def _allow_state(by: Principal, draft: RuleDraft) -> None:
    if draft.state != "draft" and by.role < Role.APPROVER:
        raise Problem(
            403,
            "forbidden",
            f"A rule saved as {draft.state!r} needs the role approver; save it as a draft and let an approver activate it.",
        )


def _existing(rule: Rule, version: int) -> int:
    if not 1 <= version <= rule.latest_version:
        raise not_found("version", str(version))
    return version


def _active(rule: Rule, verb: str) -> Rule:
    if rule.state != "active":
        raise Problem(409, "not_active", f"Only an active rule can be {verb}; this one is {rule.state}.")
    return rule
