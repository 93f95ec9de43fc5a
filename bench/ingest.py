"""Ingest: the handler, the whole acceptance, and the durable path, each against a bare signature check."""

import hmac
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from antiphon_local.ports import free_ports, listens
from antiphon_local.procs import Command, Supervisor
from antiphon_local.services import LocalServices
from bench.load import drive
from bench.measure import SERVER_CPU, cpu_seconds, median, pin
from bench.workers import SECRET

PATH = "/webhooks/facebook/bench"
CONNECTIONS = 64
BODIES = 200
ROUNDS = 5

COUNTS = {"bare": 40_000, "handler": 40_000, "accept": 30_000, "durable": 20_000}
"""Requests a round at full size: two seconds or so each."""


def requests() -> list[bytes]:
    """Return signed deliveries of one comment each, about 950 bytes of body, as a page's users write them."""
    return [_request(number) for number in range(BODIES)]


def _request(number: int) -> bytes:
    value = {
        "item": "comment",
        "verb": "add",
        "comment_id": f"901097836652708_{number}",
        "post_id": "page_901097836652708",
        "parent_id": "page_901097836652708",
        "from": {"id": f"person{number}", "name": "Anna Müller"},
        "created_time": 1449135003,
        "message": f"Number {number}: is there still a seat to Lisbon, and what does it cost? " * 8,
    }
    entry = {"id": "page", "time": 1449135003, "changes": [{"field": "feed", "value": value}]}
    body = json.dumps({"object": "page", "entry": [entry]})
    signature = hmac.digest(SECRET, body.encode(), "sha256").hex()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Hub-Signature-256: sha256={signature}\r\n\r\n"
    )
    return (head + body).encode()


def measure(services: LocalServices, sample: float) -> dict[str, float]:
    """Return the figures; `sample` scales the number of requests."""
    cpu_us: dict[str, list[float]] = {mode: [] for mode in COUNTS}
    p99: list[float] = []
    with _servers(services) as servers, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "requests"
        file.write_text("\n".join(request.hex() for request in requests()))
        for port, pid in servers.values():
            _load(port, file, 500)
            pin(pid, SERVER_CPU)
        for _ in range(max(2, round(ROUNDS * min(1.0, sample * 2)))):
            for mode, (port, pid) in servers.items():
                before = cpu_seconds(pid)
                result = _load(port, file, max(1000, int(COUNTS[mode] * sample)))
                cpu_us[mode].append((cpu_seconds(pid) - before) / result["count"] * 1e6)
                if mode == "durable":
                    p99.append(result["p99_ms"])
    bare = median(cpu_us["bare"])
    return {
        "ingest_bare_us": bare,
        **{f"ingest_{mode}_us": median(values) for mode, values in cpu_us.items() if mode != "bare"},
        **{f"ingest_{mode}_ratio": bare / median(values) for mode, values in cpu_us.items() if mode != "bare"},
        "ingest_durable_p99_ms": median(p99),
    }


def _load(port: int, file: Path, count: int) -> dict[str, float]:
    return drive(port, file, count=count, connections=CONNECTIONS, cpu=SERVER_CPU)


@contextmanager
def _servers(services: LocalServices) -> Iterator[Mapping[str, tuple[int, int]]]:
    """Start one server for each mode; yield mode → port, pid."""
    seal = "bench:" + "A" * 43 + "="
    with Supervisor() as supervisor:
        servers: dict[str, tuple[int, int]] = {}
        for mode, port in zip(COUNTS, free_ports(len(COUNTS)), strict=True):
            module = ["bench.workers.bare_hmac", str(port)] if mode == "bare" else ["bench.workers.ingest_app", mode]
            command = Command(
                name=f"ingest-{mode}",
                argv=[sys.executable, "-m", *module],
                log=services.directory / f"bench-{mode}.log",
                env={**services.env(), "HTTP_PORT": str(port), "SEAL_KEYS": seal},
                ready_url=None if mode == "bare" else f"http://127.0.0.1:{port}/{'readyz' if mode == 'durable' else 'healthz'}",
            )
            process = supervisor.start(command)
            process.wait_ready(30, probe=None if mode != "bare" else lambda port=port: listens(port))  # type: ignore[misc]
            servers[mode] = (port, process.pid or 0)
        yield servers
