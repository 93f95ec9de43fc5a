"""The use cases of holds: people and the guard set them, people alone end them."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from antiphon.auth import Principal, Role
from antiphon.problems import Problem
from rules.configuration import Changes, ConfigurationService, Match, Saved, existing, not_found, unknown_names
from rules.domain.guard.counts import Scope
from rules.domain.guard.severity import Look
from rules.entities import INSTALLATION, Brand, Campaign, GuardSettings, Hold, Mode, Rule, Topic
from rules.ports import ConfigStore, TakenError

GUARD = Principal(key_id="guard", brands=frozenset({INSTALLATION}), role=Role.EDITOR)
"""Who the guard is in audit entries. No key has this id, so that nobody can call as it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A hold that a person sets; what is empty restricts nothing."""

    platform: str = ""
    campaign: str = ""
    topic: str = ""
    rule_id: str = ""
    mode: Mode = "approval"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """A crisis as the guard reports it. `name` is always the same for the same crisis; `hold` False: people are only told."""

    name: str
    scope: Scope
    since: float
    severity: int
    look: Look
    hold: bool


class HoldService:
    """Holds. An ended one never comes back: what happens again is a new one."""

    def __init__(self, *, store: ConfigStore, changes: Changes, configuration: ConfigurationService) -> None:
        self._store, self._changes, self._configuration = store, changes, configuration

    async def hold(self, brand: str, hold: str) -> Hold:
        """Return a hold. Raises 404."""
        found = await self._store.get(Hold, brand, hold)
        if found is None:
            raise not_found("hold", hold)
        return found

    async def holds(self, brand: str, active: bool | None, after: str, limit: int) -> Sequence[Hold]:
        """Return a brand's holds; `active` None: all. Raises 404."""
        await self._configuration.brand(brand)
        return await self._store.holds(brand, active, after, limit)

    async def set(self, by: Principal, brand: str, wanted: Wanted) -> Saved[Hold]:
        """Let automation wait for people. Raises 404, 422 for a scope of which the brand has nothing."""
        told = (await self._configuration.brand(brand)).guard or GuardSettings()
        await self._check_scope(brand, wanted)
        now = self._changes.now()
        new = Hold(
            brand=brand,
            hold=f"set-{now:%Y%m%d-%H%M%S}-{secrets.token_hex(3)}",
            changed_time=now,
            actor=by.key_id,
            platform=wanted.platform,
            campaign=wanted.campaign,
            topic=wanted.topic,
            rule_id=wanted.rule_id,
            mode=wanted.mode,
            reason=wanted.reason,
            since_time=now,
            emails=told.emails,
            url=told.url,
            secret_ref=told.secret_ref,
        )
        return await self._changes.create(new, "hold.set", {"reason": wanted.reason, "scope": _scope(new)})

    async def _check_scope(self, brand: str, wanted: Wanted) -> None:
        """Raise 422 where a name is of nothing: a hold that is misspelt would protect nobody, in silence."""
        faults: dict[str, str] = {}
        if wanted.campaign and await existing(self._store, Campaign, brand, wanted.campaign) is None:
            faults["/campaign"] = f"the brand has no campaign {wanted.campaign!r}"
        if wanted.topic:
            kind, _, name = wanted.topic.partition(":")
            topic = await existing(self._store, Topic, brand, name)
            if topic is None or topic.topic_kind != kind:
                faults["/topic"] = f"the brand has no topic {wanted.topic!r}"
        if wanted.rule_id and await self._store.get(Rule, brand, wanted.rule_id) is None:
            faults["/rule"] = f"the brand has no rule {wanted.rule_id!r}"
        if faults:
            raise unknown_names(faults)

    async def resume(self, by: Principal, brand: str, hold: str, match: Match, reason: str) -> Saved[Hold]:
        """End a hold. What waits for approval stays with people. Raises 404, 409 when it has ended, 412."""

        def ended(found: Hold) -> Hold:
            if not found.active:
                raise Problem(409, "hold_ended", "This hold has ended already.")
            return replace(found, active=False, resumed_reason=reason)

        return await self._changes.change(
            lambda: self.hold(brand, hold), match, ended, by=by, action="hold.resume", detail=lambda _: {"reason": reason}
        )

    async def alarm(self, alarm: Alarm) -> bool:
        """Set or raise the hold of a crisis; repeating it changes nothing. Raises Transient.

        True where it is live by this; not of one that was set before, that follows later, or whose brand is gone.
        """
        brand = await self._store.get(Brand, alarm.scope.brand)
        if brand is None:
            return False
        new = self._alarmed(brand, alarm)
        action = "hold.set" if alarm.hold else "hold.notice"
        detail = {"reason": new.reason, "severity": alarm.severity, "scope": _scope(new)}
        try:
            return (await self._changes.create(new, action, detail)).revision is not None
        except TakenError:
            found = await self.hold(brand.brand, alarm.name)
        if not (alarm.hold and found.notice_only and found.active):
            return False

        def raised(found: Hold) -> Hold:
            if not found.active:
                return found
            return replace(found, notice_only=False, reason=new.reason, severity=new.severity, evidence=new.evidence)

        saved = await self._changes.change(
            lambda: self.hold(brand.brand, alarm.name),
            Match(None),
            raised,
            by=GUARD,
            action="hold.raise",
            detail=lambda _: detail,
        )
        return saved.revision is not None

    def _alarmed(self, brand: Brand, alarm: Alarm) -> Hold:
        told, now = brand.guard or GuardSettings(), self._changes.now()
        return Hold(
            brand=brand.brand,
            hold=alarm.name,
            changed_time=now,
            actor=GUARD.key_id,
            platform=alarm.scope.platform,
            campaign=alarm.scope.campaign,
            topic=alarm.scope.topic,
            notice_only=not alarm.hold,
            reason=f"{alarm.scope.words}: {alarm.look.words}",
            severity=alarm.severity,
            since_time=now.fromtimestamp(alarm.since, now.tzinfo),
            evidence=json.dumps(alarm.look.document(), separators=(",", ":")).encode(),
            emails=told.emails,
            url=told.url,
            secret_ref=told.secret_ref,
        )


def _scope(hold: Hold) -> dict[str, str]:
    named = {"platform": hold.platform, "campaign": hold.campaign, "topic": hold.topic, "rule": hold.rule_id}
    return {name: value for name, value in named.items() if value}
