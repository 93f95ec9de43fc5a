"""The part of a machine's set-up that comes after the Python packages: jars, and a quick start for the broker."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from antiphon_local.errors import SetupError
from antiphon_local.jars import JarCache, ensure_jars
from antiphon_local.kafka import Kafka, startup_cache

KEPT = 3
"""Start-up caches, 66 MB each: one for each Java runtime and cache directory in use; older ones belong to removed checkouts."""


class _Trainee(Kafka):
    grace_s: ClassVar[float] = 120.0
    """At its end the JVM writes the cache: ten seconds of work on an idle machine."""


def prepare(cache: Path | None = None, *, repository: str | None = None, say: Callable[[str], None]) -> JarCache:
    """Download the jars and train the start-up cache, each only when missing. Raises SetupError with the remedy."""
    jars = ensure_jars(cache, repository=repository, say=say)
    say(f"Kafka jars: {len(jars.jars)} verified in {jars.directory}")
    target = startup_cache(jars)
    if not target.is_file():
        say("starting the broker once to make its later starts quick (about 15 s)")
        _train(jars, target)
    return jars


def _train(jars: JarCache, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="training-") as directory:
        fresh = Path(directory) / "cache.aot"
        with _Trainee(Path(directory) / "kafka", jars=jars, jvm_options=[f"-XX:AOTCacheOutput={fresh}"]) as broker:
            log = broker.directory / "log.txt"
        if not fresh.is_file():
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
            raise SetupError(
                f"the broker started and stopped but its start-up cache was not written:\n{tail}", "run the set-up again"
            )
        fresh.replace(target)
    for old in sorted(target.parent.glob("*.aot"), key=lambda path: path.stat().st_mtime)[:-KEPT]:
        old.unlink(missing_ok=True)
