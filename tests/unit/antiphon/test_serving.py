"""A request that waits for something ends with the process's stop, and with its client."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from antiphon_local.ports import LOOPBACK, free_ports

PROGRAM = """
import asyncio, sys
from fastapi import FastAPI, Request
from antiphon.process import serve
from antiphon.settings import HttpSettings
from antiphon.waiting import is_waiting

app = FastAPI()

@app.get("/")
async def wait(request: Request) -> str:
    print("waiting", flush=True)
    while await is_waiting(request):
        await asyncio.sleep(0.02)
    print("left", flush=True)
    return "nothing came"

async def main() -> int:
    return await serve(app, HttpSettings())

sys.exit(asyncio.run(main()))
"""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], int]]:
    [port] = free_ports(1)
    env = {**os.environ, "HTTP_PORT": str(port), "HTTP_HOST": LOOPBACK}
    argv = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(argv, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        patience = threading.Timer(60, process.kill)  # then every read below ends
        patience.start()
        yield process, port
        patience.cancel()
        process.kill()


def ask(process: subprocess.Popen[str], port: int) -> socket.socket:
    """Send a request and return its connection once the request waits."""
    while True:
        try:
            connection = socket.create_connection((LOOPBACK, port), timeout=30)
            break
        except ConnectionRefusedError:
            assert process.poll() is None, process.communicate()
    connection.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return connection


def test_at_a_stop_it_is_answered_with_what_there_is(server) -> None:
    process, port = server
    with ask(process, port) as connection:
        process.send_signal(signal.SIGTERM)
        answer = connection.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b'"nothing came"')
    _, told = process.communicate()
    assert (process.returncode, "timeout" in told) == (0, False), told


def test_when_its_client_is_gone_it_ends(server) -> None:
    process, port = server
    ask(process, port).close()
    assert process.stdout.readline() == "left\n"
    assert process.poll() is None
