"""The record of a running service on disk, believed only while that very process runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson

from antiphon_local import procinfo


@dataclass(frozen=True, slots=True)
class PidFile:
    """A running service as recorded on disk: `started` in ticks since boot, `ports` the first being the clients'."""

    pid: int
    started: int
    ports: list[int]

    @classmethod
    def read(cls, path: Path, marker: str) -> Self | None:
        """Return the record if that very process still runs; a record of one that is gone is removed."""
        try:
            record = cls(**orjson.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (orjson.JSONDecodeError, TypeError):  # cut off by a crash
            record = None
        if record is not None and procinfo.is_same(record.pid, record.started, marker):
            return record
        path.unlink(missing_ok=True)
        return None

    def write(self, path: Path) -> None:
        temporary = path.with_suffix(".new")
        temporary.write_bytes(orjson.dumps(self))
        temporary.replace(path)
