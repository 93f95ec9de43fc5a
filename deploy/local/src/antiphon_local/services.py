"""The three backing services together: started at once, addressed as settings, ended in order."""

import asyncio
import fcntl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from antiphon_local.jars import ensure_jars
from antiphon_local.kafka import Kafka
from antiphon_local.mongo import Mongo
from antiphon_local.native import NativeService
from antiphon_local.settings import ROOT
from antiphon_local.topics import create_topics
from antiphon_local.valkey import Valkey

DIRECTORY = ROOT / "var" / "local"


class LocalServices:
    """Kafka, Mongo and Valkey with their data under `directory`; `with` or `async with` starts and ends them.

    `reuse`: take over those that already run there and answer (they are then left running at the end); others that still hold the
    data are ended first. `tied` False: they live on after this process. `partitions` replaces the catalog's counts above one.
    """

    def __init__(
        self,
        directory: Path = DIRECTORY,
        *,
        cache: Path | None = None,
        reuse: bool = False,
        tied: bool = True,
        topics: bool = True,
        partitions: int | None = None,
    ) -> None:
        self.directory = directory.absolute()
        self.kafka = Kafka(self.directory / "kafka", tied=tied)
        self.mongo = Mongo(self.directory / "mongo", tied=tied)
        self.valkey = Valkey(self.directory / "valkey", tied=tied)
        self._cache, self._reuse, self._topics, self._partitions = cache, reuse, topics, partitions

    @property
    def all(self) -> tuple[NativeService, ...]:
        """In the order in which they are ended: the slowest clients' server last."""
        return (self.kafka, self.mongo, self.valkey)

    def env(self) -> dict[str, str]:
        """Return the settings that point a service at these: the same names a real cluster is configured with."""
        return {"KAFKA_BOOTSTRAP_SERVERS": self.kafka.address, "MONGO_URI": self.mongo.address, "REDIS_URL": self.valkey.address}

    def start(self) -> None:
        """Start all at once, wait until each answers, create the topics. Raises SetupError; nothing of ours runs then."""
        self.directory.mkdir(parents=True, exist_ok=True)
        with self._alone():
            try:
                self._start_all()
                if self._topics:
                    create_topics(self.kafka.address, partitions_override=self._partitions)
            except BaseException:
                self.stop()
                raise

    def attach(self) -> bool:
        """Take over what runs in the directory. True when all three do and answer."""
        return all(service.running or service.attach() for service in self.all)

    def stop(self) -> None:
        """End those this object started, one after the other, all of them even when ending one fails; their data stays."""
        self._end([service for service in self.all if not service.attached])

    def down(self) -> list[str]:
        """End whatever runs in the directory, whoever started it; return the names of what ran."""
        ended = [service.name for service in self.all if service.end_stale()]
        self.stop()
        return ended

    async def start_async(self) -> None:
        await asyncio.to_thread(self.start)

    async def stop_async(self) -> None:
        await asyncio.to_thread(self.stop)

    def _start_all(self) -> None:
        self.kafka.use_jars(ensure_jars(self._cache))
        with ThreadPoolExecutor(len(self.all)) as pool:
            errors = [
                error
                for future in [pool.submit(self._start_one, service) for service in self.all]
                if (error := future.exception())
            ]
        if errors:
            raise errors[0]

    def _start_one(self, service: NativeService) -> None:
        if self._reuse and not service.running:
            if service.attach():
                return
            service.end_stale()
        service.start()

    @staticmethod
    def _end(services: list[NativeService]) -> None:
        errors: list[Exception] = []
        for service in services:
            try:
                service.stop()
            except Exception as error:  # noqa: BLE001 - collected, raised below
                errors.append(error)
        if errors:
            raise ExceptionGroup("not every service could be ended", errors)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.directory / "lock").open(
            "w"
        ) as file:  # two starts on one directory: the second finds the first's services running
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.start_async()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop_async()
