"""A hold is told to a receiver that checks signatures: from the API to a signed message, once however often it is read."""

import base64
import hmac
import json
import ssl
import time
from collections.abc import Iterator
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import trustme

pytestmark = pytest.mark.e2e


class Receiver(ThreadingHTTPServer):
    """Takes what is signed with its secret, as Standard Webhooks demand, and refuses everything else."""

    def __init__(self, authority: trustme.CA) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("localhost").configure_cert(context)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://localhost:{self.server_port}/crisis"
        self.secret = ""
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.refused: list[str] = []

    def signed(self, headers: Message, body: bytes) -> bool:
        stamp, key = headers["webhook-timestamp"], base64.b64decode(self.secret.removeprefix("whsec_"))
        content = f"{headers['webhook-id']}.{stamp}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.digest(key, content, "sha256")).decode()
        return wanted in headers["webhook-signature"].split() and abs(time.time() - int(stamp)) < 300


class Taking(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        good = self.server.signed(self.headers, body)
        if good:
            self.server.got.append((self.headers["webhook-id"], json.loads(body)))
        else:
            self.server.refused.append(str(self.headers))
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@pytest.fixture
def receiver(stage) -> Iterator[Receiver]:
    with Receiver(stage.authority) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_hold_and_its_end_are_told_signed_and_once_however_often_they_are_read(stage, wait, brand, receiver) -> None:
    receiver.secret = stage.api.call("PUT", f"/v1/brands/{brand}/secrets/crisis")["secret"]
    guard = {"url": receiver.url, "secret_ref": "crisis"}
    stage.api.call("PATCH", f"/v1/brands/{brand}", {"guard": guard}, If_Match="*")
    stage.api.call("PUT", f"/v1/brands/{brand}/topics/luggage", {"kind": "topic", "name": "Luggage", "terms": ["luggage label"]})
    scope = {"topic": "topic:luggage", "reason": "the word is turned against us"}
    hold = stage.api.call("POST", f"/v1/brands/{brand}/holds", scope)["hold"]
    wait(lambda: receiver.got, 30, lambda: str(receiver.refused))

    stage.line.processes["publisher"].stop()
    stage.line.restart("publisher")  # reads every record of the configuration again
    stage.line.wait_working()
    stage.api.call("POST", f"/v1/brands/{brand}/holds/{hold}:resume", {"reason": "over"}, If_Match="*")
    wait(lambda: len(receiver.got) > 1, 30, lambda: str(receiver.refused))
    stage.api.call("PATCH", f"/v1/brands/{brand}", {"guard": {}}, If_Match="*")

    assert [body["type"] for _, body in receiver.got] == ["hold.set", "hold.resumed"]
    first = receiver.got[0][1]["data"]
    assert (first["brand"], first["hold"], first["scope"], first["reason"]) == (
        brand, hold, {"topic": "topic:luggage"}, scope["reason"],
    )  # fmt: skip
    assert receiver.refused == []
    told = [name for name, _ in receiver.got]
    assert len(set(told)) == 2
    wait(lambda: [stage.api.call("GET", f"/v1/deliveries/{name}")["state"] for name in told] == ["posted", "posted"], 20)
