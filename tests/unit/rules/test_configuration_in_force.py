"""The configuration in force: every burst of changes is in force at once, and what has grown is merged beside that."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import orjson

from antiphon.config_feed import Change
from antiphon.v1.config_pb2 import BrandConfig, ConfigRecord, RuleConfig
from antiphon.v1.decision_pb2 import Mode
from rules.adapters.config import ConfigurationInForce
from rules.domain.matching.index import MAX_RECENT, BrandIndex

RULES = 4 * MAX_RECENT


def change(revision: int, number: int, *, version: int = 1, active: bool = True) -> Change:
    document = {"id": f"r{number}", "name": "R", "when": {"text": {"any": [f"word{number}"]}}, "then": [{"tag": ["x"]}]}
    rule = RuleConfig(brand="acme", rule_id=f"r{number}", version=version, document=orjson.dumps(document), active=active)
    return Change(revision, f"rule/acme/r{number}", ConfigRecord(generation=version, rule=rule))


def brand() -> Change:
    return Change(0, "brand/acme", ConfigRecord(generation=1, brand=BrandConfig(brand="acme", mode=Mode.MODE_AUTO)))


@asynccontextmanager
async def in_force(*changes: Change) -> AsyncIterator[ConfigurationInForce]:
    refused: list[bool] = []
    configuration = ConfigurationInForce(lambda: refused.append(True))
    complete = asyncio.Event()

    async def read() -> None:
        await complete.wait()

    running = asyncio.create_task(configuration.run(read))
    for one in changes:  # as the topic is read: bit by bit
        configuration.apply([one])
        await asyncio.sleep(0)
    assert configuration.snapshot.revision == -1, "nothing is built before everything was read"
    complete.set()
    await configuration.wait_built()
    yield configuration
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert not refused


def index(configuration: ConfigurationInForce) -> BrandIndex:
    return configuration.snapshot.brands["acme"].index


async def test_what_was_in_force_at_the_start_is_built_as_one() -> None:
    async with in_force(brand(), *(change(1 + number, number) for number in range(RULES))) as configuration:
        assert (len(index(configuration)), index(configuration).is_merged) == (RULES, True)


async def test_where_nothing_is_in_force_nothing_is_waited_for() -> None:
    async with asyncio.timeout(30), in_force() as configuration:
        assert not configuration.snapshot.brands


async def test_what_has_grown_is_merged_and_nothing_is_lost() -> None:
    async with in_force(brand(), *(change(1 + number, number) for number in range(RULES))) as configuration:
        configuration.apply([change(RULES + number, number, version=2) for number in range(MAX_RECENT + 1)])
        await configuration.wait_built()
        assert {rule.version for rule in index(configuration).rules} == {1, 2}
        configuration.apply([change(9999, 7, version=3), change(10_000, 8, version=3, active=False)])  # beside the merge
        async with asyncio.timeout(30):
            while index(configuration).is_overgrown or configuration.snapshot.revision < 10_000:
                await configuration.newer(configuration.snapshot)
        versions = {rule.rule_id: rule.version for rule in index(configuration).rules}
        assert (len(versions), versions["r6"], versions["r7"], versions["r500"]) == (RULES - 1, 2, 3, 1)


async def test_whoever_waits_for_a_newer_configuration_gets_it() -> None:
    async with in_force(brand(), change(1, 1)) as configuration:
        before = configuration.snapshot
        waiting = asyncio.create_task(configuration.newer(before))
        configuration.apply([change(2, 1, version=2)])
        assert [rule.version for rule in (await waiting).brands["acme"].index.rules] == [2]
        assert await configuration.newer(before) is configuration.snapshot
