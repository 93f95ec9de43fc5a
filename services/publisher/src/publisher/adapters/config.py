"""What people decided, kept current from the configuration topic."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from typing_extensions import override

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord, HoldConfig, RuleConfig
from publisher.adapters import words
from publisher.domain.admission import BrandPolicy, ScopedHold
from publisher.domain.model import Mode
from publisher.ports import Policies

_REMOVED = BrandPolicy(held=True, held_reason="the brand was removed", removed=True)


@dataclass(slots=True)
class ConfigPolicies(Policies):
    """One policy a brand; a brand without a record has the mildest, because its decisions name the mode of each action."""

    _policies: dict[str, BrandPolicy] = field(default_factory=dict)
    _generations: dict[str, int] = field(default_factory=dict)

    @override
    def policy(self, brand: str) -> BrandPolicy:
        return self._policies.get(brand, _OPEN)

    @property
    def brands(self) -> Sequence[str]:
        """The brands that are configured."""
        return list(self._policies)

    def apply(self, changes: Sequence[Change]) -> None:
        """Take what concerns brands and rules; a lower generation never replaces a higher one."""
        for change in changes:
            if change.record is None:
                self._remove(change.key)
            elif self._newer(change.key, change.record.generation):
                self._take(change.record)

    def _newer(self, key: str, generation: int) -> bool:
        if generation < self._generations.get(key, 0):
            return False
        self._generations[key] = generation
        return True

    def _remove(self, key: str) -> None:
        kind, _, rest = key.partition("/")
        brand, _, name = rest.partition("/")
        if kind == "brand":
            self._policies[brand] = _REMOVED
        elif kind == "rule":
            self._pause(brand, name, paused=True)
        elif kind == "hold":
            self._end(brand, name)

    def _take(self, record: ConfigRecord) -> None:
        entity = record.WhichOneof("entity")
        if entity == "brand":
            self._brand(record.brand)
        elif entity == "rule":
            rule: RuleConfig = record.rule
            self._pause(rule.brand, rule.rule_id, paused=not rule.active)
        elif entity == "hold":
            self._hold(record.hold)

    def _brand(self, brand: BrandConfig) -> None:
        known = self.policy(brand.brand)
        mode = words.MODES.get(brand.mode, "")
        self._policies[brand.brand] = BrandPolicy(
            mode=Mode(mode) if mode in set(Mode) else Mode.AUTO,
            held=brand.held or brand.deleted,
            held_reason="the brand was removed" if brand.deleted else brand.held_reason,
            removed=brand.deleted,
            human_pause=float(brand.human_pause_seconds),
            blocked=frozenset(brand.blocked_authors),
            opted_out=frozenset(brand.opted_out_authors),
            paused_rules=known.paused_rules,
            holds=known.holds,
        )

    def _hold(self, hold: HoldConfig) -> None:
        self._end(hold.brand, hold.hold)
        if not hold.active or hold.notice_only:
            return
        known, mode = self.policy(hold.brand), words.MODES.get(hold.mode, "")
        scoped = ScopedHold(
            hold=hold.hold,
            mode=Mode.SHADOW if mode == Mode.SHADOW else Mode.APPROVAL,
            platform=words.PLATFORMS.get(hold.platform, "") if hold.platform else "",
            campaign=hold.campaign,
            topic=hold.topic,
            rule_id=hold.rule_id,
        )
        self._policies[hold.brand] = replace(known, holds=(*known.holds, scoped))

    def _end(self, brand: str, hold: str) -> None:
        known = self.policy(brand)
        self._policies[brand] = replace(known, holds=tuple(one for one in known.holds if one.hold != hold))

    def _pause(self, brand: str, rule_id: str, *, paused: bool) -> None:
        known = self.policy(brand)
        rules = known.paused_rules | {rule_id} if paused else known.paused_rules - {rule_id}
        self._policies[brand] = replace(known, paused_rules=rules)


_OPEN = BrandPolicy()
