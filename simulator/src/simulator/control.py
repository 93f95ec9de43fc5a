"""The control API, part two: accounts, faults, chaos, statistics. People's deeds are in `people.py`."""

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException

from simulator.budget import Budgets
from simulator.chaos import Chaos, DeliveryOptions
from simulator.clock import Clock
from simulator.faults import Fault, Faults
from simulator.feeder import Feeder
from simulator.graph import Graph
from simulator.graph_http import GraphEndpoint
from simulator.model import Account, Platform
from simulator.network import Network
from simulator.people import register_people
from simulator.requests import AccountIn, CommentIn, LimitIn, TokenIn
from simulator.sender import Sender
from simulator.stats import drained, world_stats

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Controls:
    """All that can be turned from outside."""

    network: Network
    sender: Sender
    graph: Graph
    endpoint: GraphEndpoint
    faults: Faults
    budgets: Budgets
    feeder: Feeder[CommentIn]
    clock: Clock
    options: DeliveryOptions
    seed: int

    async def reset(self, *, accounts: bool) -> None:
        """Forget what happened and calm everything; accounts stay unless said otherwise."""
        await self.feeder.stop()
        await self.endpoint.stop()
        self.network.world.clear()
        if accounts:
            self.network.world.accounts.clear()
        for account in self.network.world.accounts.values():
            account.token_expired = False
        self.network.queue.clear()
        self.network.queue.chaos = Chaos()
        self.network.queue.options = self.options
        self.faults.clear()
        self.budgets.clear()
        self.graph.done.clear()
        self.graph.refused.clear()

    def stats(self, *, detail: bool) -> Json:
        """Every count there is."""
        waiting = self.drained()
        return {
            **world_stats(self.network.world, detail=detail),
            **self.network.queue.snapshot(),
            "pending": waiting["pending"],
            "waiting": waiting,
            "feed_refused": self.feeder.refused,
            "calls": dict(self.graph.done),
            "refused": {str(code): count for code, count in self.graph.refused.items()},
            "faults_struck": self.faults.struck,
            "seed": self.seed,
        }

    def drained(self) -> Json:
        """What is still on its way."""
        return drained(self.network.queue, feeding=self.feeder.pending, late=self.endpoint.late)

    def account(self, platform: Platform, account: str) -> Account:
        """The named account, or `NotFoundError`."""
        return self.network.world.account(platform, account)


def control_router(controls: Controls) -> APIRouter:
    """All of `/control`."""
    router = APIRouter(prefix="/control")
    register_people(router, controls.network, controls.feeder)
    _register_accounts(router, controls)
    _register_weather(router, controls)
    _register_faults(router, controls)
    _register_statistics(router, controls)
    return router


def _register_accounts(router: APIRouter, controls: Controls) -> None:
    @router.post("/accounts", status_code=201)
    async def accounts(wanted: AccountIn) -> Json:
        """Make or change an account and, if it has a URL, subscribe it by the handshake."""
        known = controls.network.world.accounts
        holder = controls.network.world.account_of_token(wanted.token)
        if holder and holder.key != (wanted.platform, wanted.account):
            raise HTTPException(409, "another account has this token")
        fresh = Account(wanted.platform, wanted.account, wanted.name, wanted.token, wanted.app_secret)
        account = known.setdefault(fresh.key, fresh)
        account.name, account.token, account.app_secret = wanted.name, wanted.token, wanted.app_secret
        account.webhook_url, account.verify_token = wanted.webhook_url, wanted.verify_token
        account.token_expired = False
        return await _subscribed(controls, account)

    @router.get("/accounts")
    async def listing() -> list[Json]:
        """All accounts, without their secrets."""
        return [_describe(account) for account in controls.network.world.accounts.values()]

    @router.post("/accounts/{platform}/{account}/subscribe")
    async def subscribe(platform: Platform, account: str) -> Json:
        """The handshake once more."""
        return await _subscribed(controls, controls.account(platform, account))

    @router.post("/accounts/{platform}/{account}/token")
    async def token(platform: Platform, account: str, wanted: TokenIn) -> Json:
        """Replace the token, or let it expire (190/463 from then on)."""
        found = controls.account(platform, account)
        found.token, found.token_expired = wanted.token or found.token, wanted.expired
        return _describe(found)

    @router.put("/accounts/{platform}/{account}/limits")
    async def limits(platform: Platform, account: str, wanted: LimitIn) -> Json:
        """A new, unused budget of calls in an hour of platform time."""
        found = controls.account(platform, account)
        budget = controls.budgets.limit(found, wanted.calls_per_hour, wanted.code)
        return {"calls_per_hour": budget.calls_per_hour, "code": budget.code}


async def _subscribed(controls: Controls, account: Account) -> Json:
    handshake = await controls.sender.handshake(account) if account.webhook_url else None
    return {**_describe(account), "handshake": handshake}


def _describe(account: Account) -> Json:
    return {
        "platform": account.platform,
        "account": account.id,
        "name": account.name,
        "webhook_url": account.webhook_url,
        "subscribed": account.subscribed,
        "token_expired": account.token_expired,
    }


def _register_weather(router: APIRouter, controls: Controls) -> None:
    queue = controls.network.queue

    @router.get("/chaos")
    async def chaos() -> Chaos:
        """The chaos in force."""
        return queue.chaos

    @router.put("/chaos")
    async def set_chaos(wanted: Chaos) -> Chaos:
        """Replace the chaos as a whole; `{}` is calm."""
        queue.chaos = wanted
        return wanted

    @router.put("/delivery")
    async def set_delivery(wanted: DeliveryOptions) -> DeliveryOptions:
        """Replace shape and pace of webhook bodies as a whole."""
        queue.options = wanted
        return wanted

    @router.post("/redeliver")
    async def redeliver() -> Json:
        """Send every update since the last reset once more."""
        return {"updates": queue.redeliver(controls.clock.now())}


def _register_faults(router: APIRouter, controls: Controls) -> None:
    @router.get("/faults")
    async def faults() -> list[dict[str, object]]:
        """The faults in force, with the times left."""
        return controls.faults.listing()

    @router.post("/faults", status_code=201)
    async def add_faults(wanted: list[Fault] | Fault) -> Json:
        """Add faults behind those in force."""
        controls.faults.add(wanted if isinstance(wanted, list) else [wanted])
        return {"faults": len(controls.faults.listing())}

    @router.delete("/faults")
    async def clear_faults() -> Json:
        """No more faults."""
        controls.faults.clear()
        return {"faults": 0}


def _register_statistics(router: APIRouter, controls: Controls) -> None:
    @router.get("/stats")
    async def stats(*, detail: bool = True) -> Json:
        """Every count; `detail=false` leaves out the maps by comment."""
        return controls.stats(detail=detail)

    @router.get("/drained")
    async def is_drained() -> Json:
        """Whether nothing is on its way any more, and what is."""
        return controls.drained()

    @router.post("/reset")
    async def reset(*, accounts: bool = False) -> Json:
        """Forget everything but the accounts; with `accounts=true` these too."""
        await controls.reset(accounts=accounts)
        return {"reset": True}
