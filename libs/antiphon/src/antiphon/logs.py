"""Logs as one JSON object a line, in UTC, with an allow-list of fields and no secrets."""

import logging
import logging.config
import re
from datetime import UTC, datetime
from typing import Final

import orjson
from typing_extensions import override

FIELDS: Final = (
    "service",
    "brand",
    "platform",
    "channel",
    "topic",
    "partition",
    "offset",
    "event_id",
    "action_id",
    "rule_id",
    "reason",
    "state",
    "count",
    "path",
    "port",
    "settings",
)
"""What may be passed as `extra=`; anything else stays out of the log, so that no body or header slips in."""

_SECRET = re.compile(r"(access_token=|Bearer\s+|ak_[0-9a-z]{12}_)[^\s&\"']+|(://[^/\s:@]*:)[^\s/]+(?=@)")
"""Platform tokens, API keys and passwords in URLs, wherever a library may put them into a message."""


def redact(text: str) -> str:
    """Return the text with everything that looks like a credential replaced by `***`."""
    # Lone surrogates (file names, other programs' output) are no UTF-8: a line must not be lost for one.
    return _SECRET.sub(r"\1\2***", text).encode(errors="replace").decode()


class JsonFormatter(logging.Formatter):
    """Formats a record as JSON; line breaks cannot escape it."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        line.update({field: value for field in FIELDS if (value := getattr(record, field, None)) is not None})
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return orjson.dumps(line, default=str).decode()


def configure(service: str, level: str) -> None:
    """Send every logger's records to standard error as JSON. `level` is a lower-case level name."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("httpx", "httpcore", "pymongo", "uvicorn.access"):  # a line a request is what metrics are for
        logging.getLogger(noisy).setLevel(logging.WARNING)
