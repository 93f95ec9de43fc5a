"""A brand's configuration behind the API: read whole, changed one document at a time."""

import re
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from antiphon_cli.client import Api, Refused
from antiphon_cli.errors import Failure
from antiphon_cli.meaning import meaning
from antiphon_cli.plan import Remote, Step, Verb

_READERS = 6
"""Connections that read documents side by side: each answer is small and most of it is waiting."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_BRAND_FIELDS = ("name", "mode", "languages", "human_pause_seconds", "disclosures", "flag_terms", "understanding", "guard")
"""What belongs into a file: holds come and go with a crisis, and lists of people are personal data."""

_CHANNEL_FIELDS = ("platform", "account", "name")
_TOPIC_FIELDS = ("kind", "name", "terms")
_LISTED = {"channels": "channel", "segments": "segment", "topics": "topic", "links": "link", "campaigns": "campaign"}
"""Kinds whose documents are listed under the name of their id."""

_LISTED_WHOLE = frozenset({"channels", "topics", "links"})
"""Kinds of which a list tells all; the lists of the others leave out what may be long."""


@dataclass(frozen=True, slots=True)
class BrandApi:
    """One brand's part of the API. Every method raises Failure."""

    api: Api
    brand: str

    @property
    def path(self) -> str:
        """Return where the brand stands."""
        return f"/v1/brands/{self.brand}"

    def read(self, archived: Collection[str] = ()) -> dict[str, Remote]:
        """Return every document by key; nothing when the brand does not exist. Of archived rules only the keys in `archived`."""
        try:
            found = {"brand": self.document("brand")}
        except Refused as refusal:
            if refusal.is_absent:
                return {}
            raise
        listed = {
            f"{kind}/{item[name]}": item
            for kind, name in _LISTED.items()
            for item in self.api.items(f"{self.path}/{kind}")
            if not item.get("deleted")
        }
        rules = {f"rules/{item['rule_id']}": item for item in self.api.items(f"{self.path}/rules", documents="true")}
        listed |= {key: item for key, item in rules.items() if key in archived or item["state"] != "archived"}
        with ThreadPoolExecutor(_READERS) as readers:
            return found | dict(zip(listed, readers.map(self._listed, listed, listed.values()), strict=True))

    def document(self, key: str) -> Remote:
        """Return one document as it is now. Raises Refused with 404 when it does not exist."""
        kind, name = _parts(key)
        answer = self.api.get(f"{self.path}/{key}" if name else self.path)
        if kind == "brand":
            return Remote({"id": self.brand, **_settings(answer)}, int(answer["generation"]))
        return _read(key, answer)

    def _listed(self, key: str, item: Mapping[str, Any]) -> Remote:
        """Return the document of an item of a list, which may hold all of it."""
        kind, _ = _parts(key)
        return _read(key, item) if kind in _LISTED_WHOLE or "document" in item else self.document(key)

    def move(self, where: str, how: str, reason: str) -> Any:
        """Carry out a move that needs a reason, `:pause` or `/hold`, on what `where` shows now; return the answer."""
        seen = int(self.api.get(where)["generation"])
        return self.api.post(f"{where}{how}", {"reason": reason}, match=seen)

    def apply(self, step: Step) -> Any:
        """Carry a step out against the generation that the plan was made from; return the answer."""
        kind, name = _parts(step.key)
        path = f"{self.path}/{step.key}" if name else self.path
        there = step.difference.there
        generation = there.generation if there else None
        if kind == "rules":
            return self._apply_rule(step, path, generation)
        if step.verb is Verb.DELETE:
            return self.api.change("DELETE", path, match=generation)
        if kind == "brand":
            return self._apply_brand(step, generation)
        body = {field: value for field, value in (step.difference.here or {}).items() if field != "id" or kind == "campaigns"}
        return self.api.change("PUT", path, body, match=generation)

    def _apply_brand(self, step: Step, generation: int | None) -> Any:
        here = dict(step.difference.here or {})
        if step.difference.there is None:
            return self.api.post("/v1/brands", {**here, "id": self.brand})
        before = meaning(step.difference.there.document)
        body = {name: value for name, value in here.items() if name != "id" and meaning(here).get(name) != before.get(name)}
        return self.api.change("PATCH", self.path, body, match=generation)

    def _apply_rule(self, step: Step, path: str, generation: int | None) -> Any:
        if step.verb is Verb.CREATE:
            return self._create_rule(step, path)
        if step.verb is Verb.SAVE:
            return self.api.change("PUT", path, step.difference.here, match=generation)
        return self.api.post(f"{path}:{step.verb.value}", match=generation)

    def _create_rule(self, step: Step, path: str) -> Any:
        try:
            return self.api.post(f"{self.path}/rules", step.difference.here)
        except Refused as refusal:
            archived = self._archived(step.key) if refusal.problem_code == "exists" else None
            if archived is None:
                raise
            return self.api.change("PUT", path, step.difference.here, match=archived.generation)

    def _archived(self, key: str) -> Remote | None:
        """Return the rule if it was put aside, so that a file with its id brings it back."""
        found = self.document(key)
        return found if found.state == "archived" else None

    def who(self, key: str) -> str:
        """Return who changed a document last and when, as far as the API tells."""
        kind, name = _parts(key)
        path = f"{self.path}/{key}" if name else self.path
        if kind != "rules":
            return f"at {self.api.get(path).get('changed_time', '?')}"
        newest = self.api.get(f"{path}/versions", limit=1)["items"][0]
        comment = f" ({newest['comment']})" if newest["comment"] else ""
        return f"by key {newest['author']} at {newest['time']}{comment}"


def _link(name: str, answer: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": name, "url": answer["url"], **({"campaign": answer["campaign"]} if answer["campaign"] else {})}


_READS: Mapping[str, Callable[[str, Mapping[str, Any]], dict[str, Any]]] = {
    "channels": lambda _, answer: _chosen(answer, _CHANNEL_FIELDS),
    "segments": lambda name, answer: {"id": name, "authors": sorted(answer["authors"])},
    "topics": lambda name, answer: {"id": name, **_chosen(answer, _TOPIC_FIELDS)},
    "links": _link,
    "campaigns": lambda _, answer: dict(answer["document"]),
}
"""Kind → what its file says, from the API's answer."""


def _read(key: str, answer: Mapping[str, Any]) -> Remote:
    kind, name = _parts(key)
    generation = int(answer["generation"])
    return Remote(_READS[kind](name, answer), generation) if kind in _READS else _rule(answer, generation)


def restricted(there: Mapping[str, Remote], here: Mapping[str, Mapping[str, Any]]) -> dict[str, Remote]:
    """Return what is there with the brand cut down to what its file speaks of: what a file leaves out, it leaves alone."""
    if "brand" not in there or "brand" not in here:
        return {key: remote for key, remote in there.items() if key != "brand" or "brand" in here}
    cut = _chosen(there["brand"].document, tuple(here["brand"]))
    return {**there, "brand": replace(there["brand"], document=cut)}


def _rule(answer: Mapping[str, Any], generation: int) -> Remote:
    acting = answer["state"] == "active" and answer["latest_version"] == answer["active_version"]
    # A newest version that is not the one in force is a draft, whatever the one in force does.
    state = "draft" if answer["state"] == "active" and not acting else answer["state"]
    return Remote({**answer["document"], "state": state}, generation, answer["state"])


def _settings(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return a brand's settings; of its own model without what only tells that a token is kept."""
    found = _chosen(answer, _BRAND_FIELDS)
    if "understanding" in found:
        found["understanding"] = _chosen(found["understanding"], ("url", "timeout_ms"))
    return found


def _chosen(answer: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {field: answer[field] for field in fields if answer.get(field) is not None}


def _parts(key: str) -> tuple[str, str]:
    kind, _, name = key.partition("/")
    if name and not _SLUG.fullmatch(name):
        raise Failure(f"{name!r} is no id", "ids are lower-case letters, digits and hyphens")
    return kind, name
