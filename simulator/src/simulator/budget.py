"""How many calls an account may make in an hour of platform time, and the headers that tell it. Pure."""

import json
import math
from collections import deque
from dataclasses import dataclass, field

from simulator.errors import GraphError
from simulator.model import Account, Platform

WINDOW = 3600.0
"""Platform seconds over which calls are counted."""


@dataclass(slots=True)
class Budget:
    """Calls of the last hour against a limit; `code` is the error that says it is used up."""

    calls_per_hour: int
    code: int
    _calls: deque[float] = field(default_factory=deque)

    def spend(self, now: float) -> bool:
        """Count a call at platform time `now`; False, and nothing counted, when the budget is used up."""
        self._forget(now)
        if len(self._calls) >= self.calls_per_hour:
            return False
        self._calls.append(now)
        return True

    def percent(self, now: float) -> int:
        """Share of the budget that is used."""
        self._forget(now)
        return 100 * len(self._calls) // self.calls_per_hour

    def regained_in(self, now: float) -> float:
        """Platform seconds until a call is possible again."""
        self._forget(now)
        return self._calls[0] + WINDOW - now if len(self._calls) >= self.calls_per_hour else 0.0

    def _forget(self, now: float) -> None:
        while self._calls and self._calls[0] <= now - WINDOW:
            self._calls.popleft()


class Budgets:
    """The budgets of all accounts; one that was given none has `default` calls an hour."""

    def __init__(self, default: int) -> None:
        self._default = default
        self._by_account: dict[tuple[Platform, str], Budget] = {}

    def limit(self, account: Account, calls_per_hour: int, code: int | None) -> Budget:
        """Give an account a new, unused budget."""
        usual = 80001 if account.platform is Platform.FACEBOOK else 80002
        budget = Budget(calls_per_hour, code or usual)
        self._by_account[account.key] = budget
        return budget

    def of(self, account: Account) -> Budget:
        """The account's budget."""
        return self._by_account.get(account.key) or self.limit(account, self._default, None)

    def clear(self) -> None:
        """Back to the default for everyone."""
        self._by_account.clear()

    def charge(self, account: Account, now: float) -> None:
        """Count a call, or raise the account's limit error."""
        budget = self.of(account)
        if not budget.spend(now):
            raise GraphError(budget.code)

    def headers(self, account: Account, now: float, scale: float) -> dict[str, str]:
        """The usage headers. Minutes are the caller's own, so platform seconds are divided by `scale`."""
        budget = self.of(account)
        percent = budget.percent(now)
        minutes = math.ceil(budget.regained_in(now) / scale / 60)
        usage = {"call_count": percent, "total_cputime": percent // 4, "total_time": percent // 3}
        kind = "pages" if account.platform is Platform.FACEBOOK else "instagram"
        business = {account.id: [{"type": kind, **usage, "estimated_time_to_regain_access": minutes}]}
        return {"X-App-Usage": json.dumps(usage), "X-Business-Use-Case-Usage": json.dumps(business)}
