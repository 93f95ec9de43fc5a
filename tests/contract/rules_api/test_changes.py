"""Preconditions by themselves: what a change does when another comes between."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from antiphon.auth import Principal, Role
from antiphon.errors import Transient
from antiphon.problems import Problem
from antiphon.testing import FakeClock
from rules.configuration import Changes, ConfigurationService, Match
from rules.entities import MAX_PEOPLE, Brand, Entity
from rules.trail import Trail

BY = Principal("0123456789ab", frozenset({"*"}), Role.ADMIN)


class FakeStore:
    """One brand in memory; `between` happens after each read of it."""

    def __init__(self, brand: Brand, between: Callable[[Brand], Brand] = lambda brand: brand) -> None:
        self.saved = brand
        self.trails: list[Trail] = []
        self._between = between

    async def get(self, _kind: object, brand: str, _name: str = "") -> Brand | None:
        found = self.saved
        self.saved = self._between(found)
        return found if found.brand == brand else None

    async def replace(self, entity: Entity, trail: Trail) -> bool:
        if entity.generation - 1 != self.saved.generation or not isinstance(entity, Brand):
            return False
        self.saved = entity
        self.trails.append(trail)
        return True


class NoOutbox:
    """Nothing is ever live."""

    async def deliver(self, entity: Entity) -> int | None:
        assert entity.generation > 1
        return None


def configuration(store: Any) -> ConfigurationService:
    return ConfigurationService(store=store, changes=Changes(store=store, outbox=NoOutbox(), clock=FakeClock()))


def acme(**values: Any) -> Brand:
    return Brand(brand="acme", name="Acme", changed_time=FakeClock().now(), actor="-", **values)


def meddler(times: int) -> Callable[[Brand], Brand]:
    """Return another caller that changes the brand so many times."""
    left = iter(range(times))
    return lambda brand: replace(brand, generation=brand.generation + 1) if next(left, None) is not None else brand


async def test_a_change_counts_and_leaves_its_trail() -> None:
    store = FakeStore(acme())
    saved = await configuration(store).hold(BY, "acme", Match(1), "a storm")
    assert (saved.entity.held, saved.entity.generation, saved.entity.actor, saved.revision) == (True, 2, BY.key_id, None)
    [trail] = store.trails
    [note] = trail.notes
    assert (note.action, note.target, note.generation, note.actor) == ("brand.hold", "brand/acme/", 2, BY.key_id)
    assert note.detail["held_reason"] == "a storm"


async def test_what_was_not_seen_is_not_replaced() -> None:
    for store, match in ((FakeStore(acme(generation=3)), Match(2)), (FakeStore(acme(), meddler(1)), Match(1))):
        with pytest.raises(Problem) as refused:
            await configuration(store).hold(BY, "acme", match, "x")
        assert (refused.value.status, store.trails) == (412, [])


async def test_whatever_it_is_is_replaced_after_some_tries() -> None:
    store = FakeStore(acme(), meddler(3))
    saved = await configuration(store).hold(BY, "acme", Match(None), "x")
    assert (saved.entity.held, saved.entity.generation) == (True, 5)
    with pytest.raises(Transient):
        await configuration(FakeStore(acme(), meddler(1_000))).hold(BY, "acme", Match(None), "x")


async def test_a_full_list_takes_nobody_but_those_on_it() -> None:
    people = tuple(sorted(f"facebook:{number}" for number in range(MAX_PEOPLE)))
    store = FakeStore(acme(blocked_authors=people))
    with pytest.raises(Problem) as refused:
        await configuration(store).list_person(BY, "acme", Match(1), "blocked", "facebook:new")
    assert (refused.value.status, refused.value.code) == (409, "list_full")
    again = await configuration(store).list_person(BY, "acme", Match(1), "blocked", "facebook:7")
    assert again.entity.blocked_authors == people


async def test_what_does_not_exist_answers_404() -> None:
    with pytest.raises(Problem) as refused:
        await configuration(FakeStore(acme())).hold(BY, "other", Match(None), "x")
    assert refused.value.status == 404
