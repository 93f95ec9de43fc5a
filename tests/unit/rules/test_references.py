"""What a rule names must be there before it acts."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.domain.model import Enter, Reply, Rule
from rules.entities import Campaign, Deletable, Link
from rules.references import Coming, References
from rules.vetting import Draft

WHEN: dict[str, Any] = {"changed_time": datetime(2026, 6, 1, tzinfo=UTC), "actor": "0123456789ab"}
SUMMER = Campaign(brand="acme", campaign="summer", name="Summer", state="draft", document=b"{}", **WHEN)
SHOP = Link(brand="acme", link="shop", url="https://acme.example/", **WHEN)
GONE = Link(brand="acme", link="gone", url="https://acme.example/", deleted=True, **WHEN)


class FakeStore:
    """Holds what it is given, and remembers what it was asked for."""

    def __init__(self, *entities: Deletable) -> None:
        self.entities = {(type(one), one.brand, one.name_in_brand): one for one in entities}
        self.asked: list[str] = []

    async def get(self, kind: type[Deletable], brand: str, name: str) -> Deletable | None:
        self.asked.append(name)
        return self.entities.get((kind, brand, name))


def references(store: Any, in_force: Any = None) -> References:
    return References(store=store, in_force=in_force)


@pytest.fixture
def naming(rule: Callable[..., Rule]) -> Callable[..., Rule]:
    """A rule that enters the campaign and answers with the links, in two languages."""

    def made(campaign: str, *links: str) -> Rule:
        text = " ".join(f"{{{{link.{link}}}}}" for link in links)
        return rule(then=(Enter(campaign=campaign), Reply(texts={"de": (text,), "en": (text,)})))

    return made


async def test_a_rule_that_acts_has_an_error_for_each_place_that_names_nothing(naming: Callable[..., Rule]) -> None:
    store = FakeStore(SUMMER, SHOP, GONE)
    (found,) = await references(store).findings("acme", [Draft(naming("winter", "shop", "gone"), active=True)])
    assert [(one.severity, one.code, one.pointer) for one in found] == [
        ("error", "unknown_campaign", "/then/0/enter/campaign"),
        ("error", "unknown_link", "/then/1/reply/text/de/0"),
        ("error", "unknown_link", "/then/1/reply/text/en/0"),
    ]
    assert "no link 'gone'; create it first" in found[1].detail


async def test_a_draft_may_be_ahead_of_what_it_names(naming: Callable[..., Rule]) -> None:
    (found,) = await references(FakeStore()).findings("acme", [Draft(naming("winter"))])
    assert [(one.severity, one.code) for one in found] == [("warning", "unknown_campaign")]


async def test_what_comes_with_the_rules_is_there_and_each_name_is_looked_up_once(naming: Callable[..., Rule]) -> None:
    store = FakeStore(SHOP)
    drafts = [Draft(naming("winter", "shop"), active=True), Draft(naming("winter", "shop", "new"), active=True)]
    coming = Coming(campaigns=frozenset({"winter"}), links=frozenset({"new"}))
    assert await references(store).findings("acme", drafts, coming) == [(), ()]
    assert store.asked == ["shop"]


async def test_another_brands_link_is_nobodys(naming: Callable[..., Rule]) -> None:
    (found,) = await references(FakeStore(SUMMER, SHOP)).findings("other", [Draft(naming("summer", "shop"), active=True)])
    assert {one.code for one in found} == {"unknown_campaign", "unknown_link"}
