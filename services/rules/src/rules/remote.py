"""A brand's own model of language and sentiment: its token goes in sealed, and never follows a change of address."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from antiphon.problems import Problem
from rules.entities import RemoteUnderstanding


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteChange:
    """The model as it is to be. `sealed_token` None: the one that is kept already; empty: none."""

    url: str
    timeout_ms: int
    sealed_token: str | None = field(repr=False)


def changed_remote(found: RemoteUnderstanding | None, change: RemoteChange | None) -> RemoteUnderstanding | None:
    """Return the model after a change. Raises 422 when a kept token would go to another host."""
    if change is None:
        return None
    token = change.sealed_token
    if token is None:
        token = found.sealed_token if found else ""
        if found and token and urlsplit(found.url).netloc != urlsplit(change.url).netloc:
            detail = "send the token again, or null: it is never taken along to another host"
            raise Problem(
                422,
                "invalid",
                "The token that is kept was given for another host; see errors.",
                errors=[{"pointer": "/understanding/token", "detail": detail}],
            )
    return RemoteUnderstanding(url=change.url, timeout_ms=change.timeout_ms, sealed_token=token)


def audited(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a brand's changed values as the audit log may show them: whether there is a new token, never the token."""
    change = values.get("understanding")
    if change is None:
        return dict(values)
    token = {None: "kept", "": "none"}.get(change.sealed_token, "new")
    return {**values, "understanding": {"url": change.url, "timeout_ms": change.timeout_ms, "token": token}}
