"""Faust as its documentation begins: an agent that forwards each record, every setting of its work at its default."""

import sys
from typing import Any

import faust


def build(bootstrap: str, source: str, target: str) -> faust.App:
    """Return the application."""
    app = faust.App(
        f"faust-pass-{target}",
        broker=f"kafka://{bootstrap}",
        store="memory://",
        web_enabled=False,
        topic_allow_declare=False,
        topic_disable_leader=True,
        broker_session_timeout=6,
        broker_heartbeat_interval=1,
    )
    raw = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    out = app.topic(target, **raw)

    async def forward(stream: Any) -> None:
        async for event in stream.events():
            await out.send(key=event.key, value=event.value)

    app.agent(app.topic(source, **raw))(forward)
    return app


if __name__ == "__main__":
    faust.Worker(build(*sys.argv[1:4]), loglevel="info").execute_from_commandline()
