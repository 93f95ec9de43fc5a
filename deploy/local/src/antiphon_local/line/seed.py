"""A demo brand on the running line: identities, subscriptions, credentials and rules, all through the API that people use."""

import secrets
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import yaml

from antiphon_local.errors import SetupError
from antiphon_local.line.feed import PLATFORMS
from antiphon_local.line.processes import Line

BRAND = "demo"
LANGUAGES = ["en", "de", "es", "fr", "ru"]
"""What the sample's comments are mostly written in; others are answered in the default texts."""

_TIMEOUT_S = 20.0
"""The first calls meet processes that are still warming up."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One of the brand's accounts, as the simulator knows it."""

    platform: str
    account: str
    name: str
    secret: str
    verify_token: str
    token: str

    @property
    def slug(self) -> str:
        """Return the brand's name for it, which is also the subscription's id."""
        return f"{self.platform}-main"


def channels() -> list[Channel]:
    """Return the demo brand's accounts, with fresh secrets."""
    return [
        Channel(platform, f"17841400{number}", f"Demo Air on {platform.title()}", *(secrets.token_urlsafe(24) for _ in range(3)))
        for number, platform in enumerate(PLATFORMS, 1)
    ]


def rules() -> list[dict[str, Any]]:
    """Return the twelve rules."""
    documents: list[dict[str, Any]] = yaml.safe_load((files("antiphon_local.line") / "sample" / "rules.yaml").read_text())
    return documents


class Api:
    """The line's API, called as its users call it."""

    def __init__(self, base_url: str, token: str = "") -> None:
        self.token = token
        self._client = httpx.Client(
            base_url=base_url, headers={"Authorization": f"Bearer {token}"} if token else {}, timeout=_TIMEOUT_S, trust_env=False
        )

    def call(self, method: str, path: str, body: object = None, **headers: str) -> Any:
        """Return the answer's JSON. Raises SetupError with the problem when the call is refused."""
        answer = self._client.request(
            method, path, json=body, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        if answer.is_error:
            raise SetupError(
                f"{method} {path} answered {answer.status_code}: {answer.text[:500]}", "see the logs under var/run/log"
            )
        return answer.json() if answer.content else None

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()


def seed(line: Line, api: Api, documents: list[dict[str, Any]] | None = None) -> list[Channel]:
    """Make the brand with its channels and rules (the twelve by default), and subscribe it at the simulator."""
    api.call("POST", "/v1/brands", {"id": BRAND, "name": "Demo Air", "mode": "auto", "languages": LANGUAGES})
    made = channels()
    for channel in made:
        seed_channel(line, api, channel)
    for document in rules() if documents is None else documents:
        api.call("POST", f"/v1/brands/{BRAND}/rules", document)
    return made


def seed_channel(line: Line, api: Api, channel: Channel) -> None:
    """Make one channel known to the rules, the publisher, ingest and the simulator."""
    api.call(
        "PUT",
        f"/v1/brands/{BRAND}/channels/{channel.slug}",
        {"platform": channel.platform, "account": channel.account, "name": channel.name},
    )
    api.call(
        "PUT",
        f"/v1/channels/{BRAND}/{channel.slug}",
        {
            "platform": channel.platform,
            "account": channel.account,
            "token": channel.token,
        },
    )
    source = api.call(
        "POST",
        "/v1/sources",
        {
            "id": channel.slug,
            "platform": channel.platform,
            "verify_token": channel.verify_token,
            "secret": channel.secret,
            "accounts": [{"account": channel.account, "brand": BRAND, "channel": channel.slug}],
        },
    )
    subscribe(line, channel, source["callback_path"])


def subscribe(line: Line, channel: Channel, path: str) -> None:
    """Let the simulator know the account and deliver its webhooks straight to ingest. Raises SetupError without a handshake."""
    simulator = Api(line.addresses["simulator"].url)
    answer = simulator.call(
        "POST",
        "/control/accounts",
        {
            "platform": channel.platform,
            "account": channel.account,
            "name": channel.name,
            "token": channel.token,
            "app_secret": channel.secret,
            "webhook_url": line.addresses["ingest"].url + path,
            "verify_token": channel.verify_token,
        },
    )
    simulator.close()
    if not answer["subscribed"]:
        raise SetupError(f"ingest refused the handshake for {channel.slug}: {answer['handshake']}", "see var/run/log/ingest.log")
