"""What a back-test compares: a job's changes put into the configuration in force."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from antiphon.errors import Invalid
from rules.adapters.schema.document import to_rule
from rules.backtests import Backtest
from rules.domain.matching.index import Snapshot
from rules.domain.model import BrandSettings, Rule
from rules.domain.programme import Source, Tracked
from rules.domain.replaying.comparison import Terms
from rules.domain.replaying.replay import Reach, reach_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All that a process needs to know; it travels there once. Times are unix seconds.

    `programme`: the topics, campaigns and links in force, for both sets of rules.
    """

    brand: BrandSettings
    own_accounts: tuple[tuple[str, str], ...]
    old: tuple[Rule, ...]
    new: tuple[Rule, ...]
    revision: int
    warm_up_from: float
    since: float
    until: float
    terms: Terms
    warnings: tuple[str, ...]
    programme: Source = field(default_factory=Source)
    tracked: Tracked | None = field(default=None, repr=False)


def build_plan(job: Backtest, snapshot: Snapshot, *, human_pause: float, allowances: Mapping[str, int], kept_from: float) -> Plan:
    """Return what a job means under the configuration in force; `kept_from`: where the archive begins. Raises Invalid."""
    configured = snapshot.brands.get(job.brand)
    if configured is None:
        raise Invalid("unknown_brand", "the brand is not configured")
    order, old = job.order, configured.index.rules
    versions = {rule.rule_id: rule.version for rule in old}
    drafts = [to_rule(job.brand, versions.get(rule_id, 0) + 1, document) for rule_id, document in order.documents]
    gone = {*order.remove, *(draft.rule_id for draft in drafts)}
    new = (*(rule for rule in old if rule.rule_id not in gone), *drafts)
    reach = reach_of((*old, *drafts))
    wanted_from = kept_from if reach.endless else order.since - reach.seconds
    return Plan(
        brand=replace(configured.settings, held=False),
        own_accounts=tuple(sorted(snapshot.own_accounts)),
        old=old,
        new=new,
        revision=snapshot.revision,
        warm_up_from=max(kept_from, min(wanted_from, order.since)),
        since=order.since,
        until=order.until,
        terms=Terms(human_pause=human_pause, sample_size=order.sample_size, allowances=allowances),
        warnings=tuple(_warnings(job, reach, configured.settings, kept_from)),
        programme=configured.programme.source if configured.programme is not None else Source(),
        tracked=configured.programme.tracked if configured.programme is not None else None,
    )


def _warnings(job: Backtest, reach: Reach, settings: BrandSettings, kept_from: float) -> list[str]:
    found = []
    if job.order.since < kept_from:
        found.append("The period begins before the archive does; what is no longer kept could not be replayed.")
    elif reach.seconds and job.order.since - reach.seconds < kept_from:
        found.append("The longest limit reaches back before the archive; limits are emptier in the replay than they were.")
    if reach.endless:
        rules = ", ".join(reach.endless[:20])
        found.append(f"These rules look back without end, and the replay only as far as the archive: {rules}.")
    if settings.held:
        found.append("The brand is on hold now; the replay takes it as not held.")
    return found
