"""A load generator: fixed connections, each sends its next request when the answer to the last one has come.

Run as a program it pins itself, sends what the file says, and prints one JSON object.
"""

import argparse
import asyncio
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from typing_extensions import override


class _Connection(asyncio.Protocol):
    """One HTTP/1.1 connection. Answers must carry Content-Length and fit the little parsing done here."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float], finished: asyncio.Event) -> None:
        self._requests = requests
        self._latencies = latencies
        self._finished = finished
        self._buffer = b""
        self._sent = 0.0
        self.refused = 0

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def _next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
            self._finished.set()
            return
        self._sent = time.perf_counter()
        self._transport.write(request)

    @override
    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0] or 0)
        if len(body) < length:
            return
        self._buffer = b""
        self._latencies.append(time.perf_counter() - self._sent)
        self.refused += head[9:10] not in (b"2", b"3")
        self._next()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._finished.set()


async def load(port: int, requests: list[bytes], *, count: int, connections: int) -> dict[str, float]:
    """Send `count` requests over the connections; return count, refused, seconds and percentiles of latency in ms."""
    supply = itertools.islice(itertools.cycle(requests), count)
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    ends = [asyncio.Event() for _ in range(connections)]
    begun = time.perf_counter()
    made = [await loop.create_connection(lambda end=end: _Connection(supply, latencies, end), "127.0.0.1", port) for end in ends]  # type: ignore[misc]
    for end in ends:
        await end.wait()
    ordered = sorted(latencies)
    return {
        "count": len(ordered),
        "refused": sum(protocol.refused for _, protocol in made),
        "seconds": time.perf_counter() - begun,
        "p50_ms": ordered[len(ordered) // 2] * 1000,
        "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
    }


def drive(port: int, file: Path, *, count: int, connections: int, cpu: int) -> dict[str, float]:
    """Send the requests of a file from a process of its own; return what `load` does. Raises RuntimeError for a refusal."""
    argv = [sys.executable, "-m", "bench.load", f"--port={port}", f"--requests={file}", f"--count={count}"]
    done = subprocess.run([*argv, f"--connections={connections}", f"--cpu={cpu}"], capture_output=True, check=True)
    result: dict[str, float] = json.loads(done.stdout)
    if result["refused"]:
        raise RuntimeError(f"{result['refused']} requests were refused")
    return result


def main() -> None:
    """Run as a program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--count", type=int, required=True)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--cpu", type=int, required=True)
    options = parser.parse_args()
    os.sched_setaffinity(0, {options.cpu})
    requests = [bytes.fromhex(line) for line in options.requests.read_text().split()]
    print(json.dumps(asyncio.run(load(options.port, requests, count=options.count, connections=options.connections))))


if __name__ == "__main__":
    main()
