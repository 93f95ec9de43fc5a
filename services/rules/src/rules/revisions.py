"""The use cases of rules: each save makes an immutable version; what acts is a pointer to one of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from antiphon.auth import Principal, Role
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Detail, Match, Saved, not_found
from rules.entities import Rule, RuleState, RuleVersion
from rules.ports import ConfigStore, TakenError


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleDraft:
    """A validated rule document; `document` is its canonical JSON, the rest is read from it."""

    rule_id: str
    name: str
    state: RuleState
    document: bytes


class RuleService:
    """Rules and their versions. An editor saves drafts; whatever makes a rule act, or stop acting, needs an approver."""

    def __init__(self, *, store: ConfigStore, changes: Changes, configuration: ConfigurationService) -> None:
        self._store = store
        self._changes = changes
        self._configuration = configuration

    async def rule(self, brand: str, rule_id: str) -> Rule:
        """Return where a rule stands. Raises 404."""
        found = await self._store.get(Rule, brand, rule_id)
        if found is None:
            raise not_found("rule", rule_id)
        return found

    async def rules(self, brand: str, state: RuleState | None, after: str, limit: int) -> Sequence[Rule]:
        """Return a brand's rules. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.rules(brand, state, after, limit)

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

    async def create(self, by: Principal, brand: str, draft: RuleDraft, comment: str) -> Saved[Rule]:
        """Save a new rule. Raises 404, 403 when it would act and the caller is no approver, 409 when it exists."""
        await self._configuration.brand(brand)
        _allow_state(by, draft)
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
            return await self._changes.create(rule, "rule.create", detail, version=_version(rule, draft, comment))
        except TakenError as error:
            raise Problem(409, "exists", f"The rule {draft.rule_id!r} exists already; PUT a new version of it.") from error

    async def save(self, by: Principal, brand: str, draft: RuleDraft, match: Match, comment: str) -> Saved[Rule]:
        """Save a new version. A draft changes nothing that acts; any other state in the document is taken on, by an approver."""
        _allow_state(by, draft)

        def update(found: Rule) -> Rule:
            saved = replace(found, latest_version=found.latest_version + 1, name=draft.name)
            if draft.state == "draft":
                return saved
            active = saved.latest_version if draft.state == "active" else found.active_version
            return replace(saved, state=draft.state, active_version=active)

        return await self._changes.change(
            lambda: self.rule(brand, draft.rule_id),
            match,
            update,
            by=by,
            action="rule.save",
            detail=lambda saved: {"version": saved.latest_version, "state": saved.state, "comment": comment},
            version=lambda saved: _version(saved, draft, comment),
        )

    async def activate(
        self, by: Principal, brand: str, rule_id: str, match: Match, version: int | None, comment: str
    ) -> Saved[Rule]:
        """Let a version (None: the newest) act. Raises 404 for an unknown version."""

        def update(found: Rule) -> Rule:
            chosen = _existing(found, version or found.latest_version)
            return replace(found, state="active", active_version=chosen)

        return await self._move(by, brand, rule_id, match, update, "rule.activate", comment)

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

    async def roll_back(self, by: Principal, brand: str, rule_id: str, match: Match, version: int, comment: str) -> Saved[Rule]:
        """Let an earlier version of an active rule act again. Raises 404 for an unknown version, 409 unless it is active."""

        def update(found: Rule) -> Rule:
            return replace(_active(found, "rolled back"), active_version=_existing(found, version))

        return await self._move(by, brand, rule_id, match, update, "rule.rollback", comment)

    async def _move(
        self, by: Principal, brand: str, rule_id: str, match: Match, update: Callable[[Rule], Rule], action: str, comment: str
    ) -> Saved[Rule]:
        def detail(moved: Rule) -> Detail:
            return {"state": moved.state, "version": moved.active_version, "comment": comment}

        return await self._changes.change(lambda: self.rule(brand, rule_id), match, update, by=by, action=action, detail=detail)


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
