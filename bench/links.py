"""Tracked links: the redirect with its click on Kafka and into a log that forgets, beside a bare redirect."""

import base64
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from antiphon.links import make_code
from antiphon_local.ports import free_ports, listens
from antiphon_local.procs import Command, Supervisor
from antiphon_local.services import LocalServices
from bench.load import drive
from bench.measure import SERVER_CPU, cpu_seconds, median, pin
from bench.workers import LINK, LINK_BRAND, LINK_KEY

CONNECTIONS = 64
VISITORS = 200
ROUNDS = 5

COUNTS = {"bare": 40_000, "forgetful": 40_000, "redirect": 20_000}
"""Requests a round at full size: two seconds or so each."""


def requests() -> list[bytes]:
    """Return clicks on the links of many answers, by many browsers."""
    return [_request(number) for number in range(VISITORS)]


def _request(number: int) -> bytes:
    code = make_code(LINK_KEY, brand=LINK_BRAND, link=LINK, action_id=f"{number:064x}")
    agent = f"Mozilla/5.0 (Linux; Android 14; Phone {number}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Mobile"
    return f"GET /l/{code} HTTP/1.1\r\nHost: bench\r\nUser-Agent: {agent}\r\nAccept: text/html\r\n\r\n".encode()


def measure(services: LocalServices, sample: float) -> dict[str, float]:
    """Return the figures; `sample` scales the number of requests."""
    cpu_us: dict[str, list[float]] = {mode: [] for mode in COUNTS}
    p99: list[float] = []
    with _servers(services) as servers, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "requests"
        file.write_text("\n".join(request.hex() for request in requests()))
        load = partial(drive, file=file, connections=CONNECTIONS, cpu=SERVER_CPU)
        for port, pid in servers.values():
            load(port, count=500)
            pin(pid, SERVER_CPU)
        for _ in range(max(2, round(ROUNDS * min(1.0, sample * 2)))):
            for mode, (port, pid) in servers.items():
                before = cpu_seconds(pid)
                result = load(port, count=max(1000, int(COUNTS[mode] * sample)))
                cpu_us[mode].append((cpu_seconds(pid) - before) / result["count"] * 1e6)
                if mode == "redirect":
                    p99.append(result["p99_ms"])
    figures = {f"link_{mode}_us": median(values) for mode, values in cpu_us.items()}
    ratio = figures["link_bare_us"] / figures["link_redirect_us"]
    return figures | {"link_redirect_ratio": ratio, "link_redirect_p99_ms": median(p99)}


@contextmanager
def _servers(services: LocalServices) -> Iterator[Mapping[str, tuple[int, int]]]:
    """Start one server for each mode; yield mode → port, pid."""
    keys = {"SEAL_KEYS": "bench:" + "A" * 43 + "=", "LINK_KEY": base64.b64encode(LINK_KEY).decode()}
    with Supervisor() as supervisor:
        servers: dict[str, tuple[int, int]] = {}
        for mode, port in zip(COUNTS, free_ports(len(COUNTS)), strict=True):
            bare = mode == "bare"
            module = ["bench.workers.bare_redirect", str(port)] if bare else ["bench.workers.link_app", mode]
            command = Command(
                name=f"link-{mode}",
                argv=[sys.executable, "-m", *module],
                log=services.directory / f"bench-link-{mode}.log",
                env={**services.env(), "HTTP_PORT": str(port), **keys},
                ready_url=None if bare else f"http://127.0.0.1:{port}/{'readyz' if mode == 'redirect' else 'healthz'}",
            )
            process = supervisor.start(command)
            process.wait_ready(30, probe=partial(listens, port) if bare else None)
            servers[mode] = (port, process.pid or 0)
        yield servers
