"""The pinned jars of the Kafka broker: `kafka-jars.lock`, one `group:artifact:version sha256 bytes` a line."""

import re
from dataclasses import dataclass
from importlib.resources import files

_LINE = re.compile(r"(?P<group>[\w.-]+):(?P<artifact>[\w.-]+):(?P<version>[\w.-]+) (?P<sha256>[0-9a-f]{64}) (?P<size>[1-9]\d*)")


@dataclass(frozen=True, slots=True)
class Jar:
    """One file of the broker's class path. `size` is in bytes, `sha256` in hex."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def filename(self) -> str:
        return f"{self.artifact}-{self.version}.jar"


def parse_pins(text: str) -> tuple[Jar, ...]:
    """Return the jars of a pin file in its order. Raises ValueError for a line of another form or a file named twice."""
    jars: dict[str, Jar] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise ValueError(f"pin file, line {number}: not `group:artifact:version sha256 bytes`: {line!r}")
        jar = Jar(match["group"], match["artifact"], match["version"], match["sha256"], int(match["size"]))
        if jar.filename in jars:
            raise ValueError(f"pin file, line {number}: {jar.filename} is pinned twice")
        jars[jar.filename] = jar
    return tuple(jars.values())


def kafka_pins() -> tuple[Jar, ...]:
    """Return the jars this version of the project runs its broker with."""
    return parse_pins((files(__package__) / "kafka-jars.lock").read_text(encoding="ascii"))
