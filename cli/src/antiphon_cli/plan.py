"""What a push would do: files and brand are compared with what they were when they last met. Nothing here reads or writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any

from antiphon_cli.meaning import digest, meaning

Parts = Mapping[str, Mapping[str, Any]]
"""Documents by key: `brand`, `channels/ig-main`, `segments/vip`, `campaigns/summer`, `rules/price-question`."""

Met = Mapping[str, tuple[str, str]]
"""By key: the digests of the file and of the brand's document when they last said the same."""


@dataclass(frozen=True, slots=True)
class Remote:
    """A document as the API has it. `state` is a rule's: where it stands, while its document is the newest version."""

    document: Mapping[str, Any]
    generation: int
    state: str = ""


class Status(Enum):
    """Who has changed a document since both last met."""

    SAME = "same"
    HERE = "changed here"
    THERE = "changed there"
    BOTH = "changed here and there"


class Verb(StrEnum):
    """What is done to one document."""

    CREATE = "create"
    SAVE = "save"
    ACTIVATE = "activate"
    PAUSE = "pause"
    ARCHIVE = "archive"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Difference:
    """One document that stands differently here (the file) and there (the API); None: it does not exist."""

    key: str
    status: Status
    here: Mapping[str, Any] | None
    there: Remote | None


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a push; `note` is for people."""

    verb: Verb
    difference: Difference
    note: str = ""

    @property
    def key(self) -> str:
        """Return which document."""
        return self.difference.key


@dataclass(frozen=True, slots=True)
class Plan:
    """All steps of a push in their order, and what it leaves alone."""

    steps: Sequence[Step]
    conflicts: Sequence[Difference] = field(default=())
    behind: Sequence[Difference] = field(default=())
    kept: Sequence[Difference] = field(default=())


def differences(here: Parts, there: Mapping[str, Remote], met: Met) -> list[Difference]:
    """Return every document that is not the same on both sides, by key."""
    found = []
    for key in sorted({*here, *there}):
        ours, theirs = here.get(key), there.get(key)
        status = status_of(met.get(key), digest(ours), digest(theirs.document if theirs else None))
        if status is not Status.SAME:
            found.append(Difference(key, status, ours, theirs))
    return found


def status_of(met: tuple[str, str] | None, here: str, there: str) -> Status:
    """Return who has changed since `met`; digests, empty for what is not there."""
    if here == there or (met is not None and met == (here, there)):
        return Status.SAME
    if met is None:
        return Status.HERE if not there else Status.THERE if not here else Status.BOTH
    if met[1] == there:
        return Status.HERE
    return Status.THERE if met[0] == here else Status.BOTH


def plan(found: Sequence[Difference], *, overwrite: bool = False, prune: bool = False) -> Plan:
    """Return what a push does. `overwrite`: the files win over changes there. `prune`: what has no file is put aside."""
    wanted = [each for each in found if overwrite or each.status is Status.HERE]
    left = [each for each in found if each not in wanted]
    gone = [each for each in wanted if each.here is None]
    steps = [_step(each) for each in wanted if each.here is not None]
    removable = [each for each in gone if prune and each.key != "brand"]
    steps += [Step(Verb.ARCHIVE if each.key.startswith("rules/") else Verb.DELETE, each) for each in removable]
    return Plan(
        steps=sorted(steps, key=_order),
        conflicts=[each for each in left if each.status is Status.BOTH],
        behind=[each for each in left if each.status is Status.THERE],
        kept=[each for each in gone if each not in removable],
    )


_FIRST = ("brand", "segments", "topics", "channels", "campaigns", "links")
"""Kinds in the order in which they are named: campaigns name channels, links name campaigns, rules name them all."""


def _order(step: Step) -> tuple[int, int, str]:
    """Settings and what rules refer to come first; then rules stop before others start, so that no two collide on the way."""
    kind = step.key.partition("/")[0]
    rank = _FIRST.index(kind) if kind in _FIRST else len(_FIRST) + 1
    if step.verb in {Verb.PAUSE, Verb.ARCHIVE}:
        rank = len(_FIRST)
    if step.verb is Verb.DELETE:
        rank = len(_FIRST) + 2
    priority = (step.difference.here or {}).get("priority", 100)
    return rank, priority if isinstance(priority, int) else 0, step.key


def _step(found: Difference) -> Step:
    if found.there is None:
        return Step(Verb.CREATE, found)
    return _rule_step(found, found.there) if found.key.startswith("rules/") else Step(Verb.SAVE, found)


def _rule_step(found: Difference, there: Remote) -> Step:
    here = meaning(found.here or {})
    wanted = here.pop("state")
    if here != _without_state(there.document):
        return Step(Verb.SAVE, found, _note(wanted, there))
    if wanted == "active":
        return Step(Verb.ACTIVATE, found)
    if wanted == "paused" and there.state == "active":
        return Step(Verb.PAUSE, found)
    if wanted == "archived":
        return Step(Verb.ARCHIVE, found)
    return Step(Verb.SAVE, found, _note(wanted, there))


def _without_state(document: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in meaning(document).items() if name != "state"}


def _note(wanted: Any, there: Remote) -> str:
    if wanted == "draft" and there.state == "active":
        return "a draft changes nothing that acts: the version in force goes on; `paused` would stop it"
    return ""
