"""The Kafka jars: downloaded once into a cache that clones share, checked against their pins, offline afterwards."""

import errno
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from antiphon_local.errors import SetupError
from antiphon_local.pins import Jar, kafka_pins
from antiphon_local.settings import LocalSettings, cache_directory

if TYPE_CHECKING:
    from jgo.maven import MavenContext

DOWNLOADS = 8
"""At once. Half of the jars are tiny, so the round trips dominate; more would look like an attack to a repository."""

TRIES = 3
"""A download: a mirror's hiccup should not cost a person a second `make setup`."""

TIMEOUT_S = 30
"""Without a byte. Shorter gives up on slow mirrors, longer hides a network that is away."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_CLOSED = (errno.EACCES, errno.EROFS)
_OUR_SIDE = (*_FULL, *_CLOSED)
"""Errors of this machine's disk: another try cannot help."""


@dataclass(frozen=True, slots=True)
class JarCache:
    """Verified jars in `directory`, in the order of their pins."""

    directory: Path
    jars: tuple[Jar, ...]

    @property
    def class_path(self) -> str:
        return os.pathsep.join(str(self.directory / jar.filename) for jar in self.jars)


def ensure_jars(
    cache: Path | None = None,
    *,
    pins: Sequence[Jar] | None = None,
    repository: str | None = None,
    say: Callable[[str], None] | None = None,
) -> JarCache:
    """Return the jars, after downloading those that are missing or damaged. Safe to call from several processes at once.

    `cache` defaults to the user's shared cache, `repository` to the public one. Raises SetupError with the remedy when a download
    fails, a checksum is wrong or the disk is full; a jar that is in the cache under its name is always whole.
    """
    settings = LocalSettings()
    jars = tuple(kafka_pins() if pins is None else pins)
    directory = (cache or cache_directory(settings)) / "kafka" / "lib"
    found = JarCache(directory, jars)
    if not _wanting(found):
        return found
    with disk_errors(directory):
        directory.mkdir(parents=True, exist_ok=True)
        with locked(directory.parent / "lock"):
            wanting = _wanting(found)
            if say and wanting:
                say(f"downloading {len(wanting)} Kafka jars ({sum(jar.size for jar in wanting) / 1e6:.0f} MB) into {directory}")
            _fetch_all(wanting, directory, repository or settings.maven_repository)
    return found


def _wanting(cache: JarCache) -> list[Jar]:
    return [jar for jar in cache.jars if not _intact(cache.directory / jar.filename, jar)]


def _intact(path: Path, jar: Jar) -> bool:
    return path.is_file() and path.stat().st_size == jar.size and sha256_of(path) == jar.sha256


def sha256_of(path: Path) -> str:
    """Return a file's checksum in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch_all(jars: Sequence[Jar], directory: Path, repository: str | None) -> None:
    from jgo.maven import MavenContext  # here: half a second that only a download is worth

    with tempfile.TemporaryDirectory(dir=directory.parent, prefix="partial-") as partial:
        context = MavenContext(
            repo_cache=Path(partial),
            remote_repos={"mirror": repository.rstrip("/")} if repository else None,
            timeout=TIMEOUT_S,
        )
        with ThreadPoolExecutor(DOWNLOADS) as pool:
            for future in [pool.submit(_fetch, context, jar, directory) for jar in jars]:
                try:
                    future.result()
                except BaseException:
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise


def _fetch(context: "MavenContext", jar: Jar, directory: Path) -> None:
    path = _download(context, jar)
    if (actual := sha256_of(path)) != jar.sha256:
        raise SetupError(
            f"checksum wrong: {jar.filename} is {actual} ({path.stat().st_size} bytes), "
            f"pinned is {jar.sha256} ({jar.size} bytes)",
            "run the set-up again; if it stays so, the repository or a proxy on the way serves another file: "
            "do not use it, set ANTIPHON_MAVEN_REPOSITORY to one you trust",
        )
    path.replace(directory / jar.filename)


def _download(context: "MavenContext", jar: Jar) -> Path:
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    problem: Exception | None = None
    for _ in range(TRIES):
        try:
            return Path(artifact.resolve())
        except (OSError, RuntimeError) as error:  # network errors are OSErrors; RuntimeError: the repository does not have it
            if isinstance(error, OSError) and error.errno in _OUR_SIDE:
                raise
            problem = error
            if artifact.cached_path is not None:
                artifact.cached_path.unlink(missing_ok=True)  # cut off midway: half a file must not pass for a cached one
    raise SetupError(
        f"download failed: {jar.filename}: {problem}",
        "check the network or the proxy settings (HTTPS_PROXY, ANTIPHON_MAVEN_REPOSITORY for a mirror) and run the set-up again; "
        "what is already downloaded is kept",
    ) from problem


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file: of several processes one works, the others wait and find the work done."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextmanager
def disk_errors(directory: Path) -> Iterator[None]:
    """Turn a full, closed or read-only disk into a SetupError with its remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise SetupError(
                f"disk full: {directory} cannot hold what is downloaded",
                "free 300 MB there, or set ANTIPHON_CACHE_DIR to another disk",
            ) from error
        if error.errno in _CLOSED:
            raise SetupError(
                f"no permission to write to {directory}", "make it writable, or set ANTIPHON_CACHE_DIR to a directory that is"
            ) from error
        raise
