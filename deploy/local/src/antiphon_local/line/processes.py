"""Every process of the platform with its settings, as a deployment would start it."""

import base64
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import run
from types import TracebackType
from typing import Final, Self

from antiphon_local.errors import SetupError
from antiphon_local.ports import free_ports
from antiphon_local.procs import Command, Process, Supervisor, http_ready
from antiphon_local.services import LocalServices

ROLES: Final[Mapping[str, tuple[str, ...]]] = {
    "simulator": ("simulator",),
    "rules-api": ("rules", "api"),
    "ingest": ("ingest",),
    "engine": ("rules", "engine"),
    "historian": ("rules", "historian"),
    "guard": ("rules", "guard"),
    "publisher": ("publisher", "worker"),
    "publisher-api": ("publisher", "api"),
    "publisher-campaigns": ("publisher", "campaigns"),
    "metrics": ("metrics",),
    "router": ("antiphon_local.router",),
}
"""Process name → `python -m …`."""

_BESIDE: Final = frozenset({"simulator", "router"})
"""What only this machine runs: without readiness and metrics."""

_TOKEN = re.compile(r"ak_[0-9a-z]{12}_[\w-]{43}")

_START_SECONDS = 90.0
"""For all processes together on a slow machine; each needs about two seconds of CPU to import what it uses."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a process listens."""

    port: int

    @property
    def url(self) -> str:
        """Return its base URL."""
        return f"http://127.0.0.1:{self.port}"


class Line:
    """The processes on given backing services; `with` starts and ends them.

    `env` is laid over every process's settings, `env_of` over those of one process (for example a failpoint).
    """

    def __init__(
        self,
        services: LocalServices,
        directory: Path,
        *,
        env: Mapping[str, str] | None = None,
        env_of: Mapping[str, Mapping[str, str]] | None = None,
        roles: tuple[str, ...] = tuple(ROLES),
    ) -> None:
        self._services = services
        self._directory = directory
        self._env = dict(env or {})
        self._env_of = {role: dict(extra) for role, extra in (env_of or {}).items()}
        self._supervisor = Supervisor()
        self.roles = roles
        self.addresses = dict(zip(ROLES, map(Address, free_ports(len(ROLES))), strict=True))
        self.processes: dict[str, Process] = {}

    @property
    def url(self) -> str:
        """Return the one base URL that people use."""
        return self.addresses["router"].url

    def settings(self, role: str) -> dict[str, str]:
        """Return the environment of a process."""
        return {
            **self._services.env(),
            "HTTP_PORT": str(self.addresses[role].port),
            "SEAL_KEYS": "local:" + secret_key(self._directory / "seal-key"),
            "PERSON_KEY": secret_key(self._directory / "person-key"),
            "METRICS_PERSON_KEY": secret_key(self._directory / "pseudonym-key"),
            "LINK_KEY": secret_key(self._directory / "link-key"),
            "LINK_BASE_URL": self.url,
            "INGEST_FORWARDED_HOPS": "1",  # the router
            "KAFKA_SESSION_TIMEOUT_MS": "6000",
            "KAFKA_GROUP_INSTANCE_ID": role,  # static membership, as with stable pod names: a restart keeps its partitions
            "PUBLISHER_FACEBOOK_API_URL": self.addresses["simulator"].url,
            "PUBLISHER_INSTAGRAM_API_URL": self.addresses["simulator"].url,
            "PUBLISHER_PUBLIC_URL": self.url,
            "PUBLISHER_MEDIA_DIRECTORY": str(self._directory / "media"),
            "SIMULATOR_PORT": str(self.addresses[role].port),
            **self._env,
            **self._env_of.get(role, {}),
        }

    def command(self, role: str) -> Command:
        """Return how a process is started."""
        return Command(
            name=role,
            argv=[sys.executable, "-m", *ROLES[role], *(self._router_arguments() if role == "router" else ())],
            env=self.settings(role),
            log=self._directory / "log" / f"{role}.log",
            ready_url=f"{self.addresses[role].url}/healthz",
            grace_s=20.0,
        )

    def _router_arguments(self) -> list[str]:
        services = [f"--service={service}={self.addresses[role].url}" for service, role in _ROUTED.items()]
        return [f"--port={self.addresses['router'].port}", *services]

    def start(self) -> None:
        """Start every process and wait until each serves. Raises SetupError with the log of one that does not."""
        for role in self.roles:
            self.processes[role] = self._supervisor.start(self.command(role), ready_timeout_s=None)
        for process in self.processes.values():
            process.wait_ready(_START_SECONDS)

    def wait_working(self, timeout_s: float = _START_SECONDS) -> None:
        """Wait until each process says that its dependencies answer and its partitions are assigned."""
        for role, process in self.processes.items():
            if role not in _BESIDE:
                process.wait_ready(timeout_s, probe=partial(self.is_working, role))

    def is_working(self, role: str) -> bool:
        """Tell whether a process says that its dependencies answer and its partitions are assigned."""
        return http_ready(f"{self.addresses[role].url}/readyz")

    def scraped(self) -> dict[str, str]:
        """Return where each process serves its metrics: name → `host:port`."""
        return {role: f"127.0.0.1:{self.addresses[role].port}" for role in self.roles if role not in _BESIDE}

    def restart(self, role: str, *, env: Mapping[str, str] | None = None, wait: bool = True) -> Process:
        """Start a process that has ended (or was killed) again, with other extra settings where given.

        `wait=False` returns at once: a process that shall be killed at its first work may never be seen ready.
        """
        if env is not None:
            self._env_of[role] = dict(env)
        self.processes[role] = self._supervisor.start(self.command(role), ready_timeout_s=_START_SECONDS if wait else None)
        return self.processes[role]

    def admin_token(self) -> str:
        """Make an API key with every right and return its token. Raises SetupError when the command fails."""
        argv = [sys.executable, "-m", "rules", "key", "--brands", "*", "--role", "admin"]
        made = run(
            argv, env={**os.environ, **self.settings("rules-api")}, capture_output=True, text=True, check=False, timeout=60
        )
        if found := _TOKEN.search(made.stdout):
            return found.group()
        raise SetupError(f"no admin key could be made:\n{made.stderr[-2000:]}", "see the lines above")

    def peak_rss_mb(self) -> dict[str, float]:
        """Return the peak resident memory of each running process in MB."""
        return {role: _peak_rss_mb(process.pid) for role, process in self.processes.items() if process.pid and process.running}

    def dead(self) -> list[str]:
        """Return the names of processes that ended without being asked to."""
        return [process.command.name for process in self._supervisor.dead()]

    def stop(self) -> None:
        """End every process in order."""
        self._supervisor.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


_ROUTED = {"ingest": "ingest", "rules": "rules-api", "publisher": "publisher-api", "metrics": "metrics"}
"""Service in the table of routes → the process that serves its API."""


def secret_key(path: Path) -> str:
    """Return a key of this machine, made at first use; what it sealed or signed stays good at the next start."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(os.urandom(32)).decode())
    return path.read_text()


def _peak_rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
