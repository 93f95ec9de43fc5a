"""What the three backing services have in common: a data directory, ports, a pid file, readiness, orderly and rude ends."""

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from antiphon_local import procinfo
from antiphon_local.errors import PortTakenError, SetupError
from antiphon_local.pidfile import PidFile
from antiphon_local.ports import free_ports, is_free, listens
from antiphon_local.procs import Command, Process

START_S = 60.0
"""Until readiness. They need one to three seconds; a machine that is busy with a test suite needs many times that."""

PORT_TRIES = 3
"""With ports of our own choice: another program may take one between our look and the start."""


class NativeService(ABC):
    """A backing service as one native process, with all it writes in `directory`.

    `port` None: a free one, kept over `kill()` and `start()`. `tied`: it ends with this process even on SIGKILL.
    """

    name: ClassVar[str]
    grace_s: ClassVar[float]
    """From SIGTERM to SIGKILL."""
    disk_mb: ClassVar[int]
    """Free space below which a start is refused: it would fail later and less clearly."""
    port_count: ClassVar[int] = 1

    def __init__(self, directory: Path, *, port: int | None = None, tied: bool = True) -> None:
        self.directory = directory.absolute()
        self._wanted = port
        self.ports: list[int] = []
        self._tied = tied
        self._process: Process | None = None
        self._attached: PidFile | None = None

    @property
    def port(self) -> int:
        """Where clients connect. Raises SetupError before the first start."""
        if not self.ports:
            raise SetupError(f"{self.name} has not been started", "call start() first")
        return self.ports[0]

    @property
    def pid(self) -> int | None:
        return self._attached.pid if self._attached else self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        if self._attached:
            return procinfo.is_same(self._attached.pid, self._attached.started, self._marker)
        return self._process is not None and self._process.running

    @property
    @abstractmethod
    def address(self) -> str:
        """What clients are configured with."""

    @abstractmethod
    def _prepare(self) -> None:
        """Write the configuration for `self.ports`."""

    @abstractmethod
    def _argv(self) -> Sequence[str]:
        """The program and its arguments, the directory among them."""

    @abstractmethod
    def answers(self) -> bool:
        """Tell whether it does its work now: one real round trip of its own protocol."""

    def start(self, timeout_s: float = START_S) -> None:
        """Start on the data of `directory` and wait until it answers; returns at once when this object runs it already.

        Raises SetupError: port taken, disk full, a stale process on the same data, or the process's last words.
        """
        if self.running:
            return
        self._attached = None
        self._refuse_stale()
        self._refuse_full_disk()
        chosen = bool(self._wanted or self.ports)
        for left in reversed(range(1 if chosen else PORT_TRIES)):
            try:
                self._start_once(timeout_s)
            except PortTakenError:
                self.ports = self.ports if chosen else []
                if not left:
                    raise
            else:
                return

    def attach(self) -> bool:
        """Take over the process that already runs on this directory, if there is one and it answers."""
        record = PidFile.read(self._pid_path, self._marker)
        if record is None:
            return False
        self.ports = record.ports
        if not self.answers():
            self.ports = []
            return False
        self._attached = record
        return True

    def end_stale(self) -> bool:
        """End whatever process runs on this directory, by the pid file. True when there was one."""
        record = PidFile.read(self._pid_path, self._marker)
        if record is None:
            return False
        procinfo.end(record.pid, record.started, self.grace_s)
        self._pid_path.unlink(missing_ok=True)
        return True

    @property
    def attached(self) -> bool:
        """Whether the process was running before this object took it over."""
        return self._attached is not None

    def stop(self) -> None:
        """End it in order (SIGTERM, after `grace_s` SIGKILL), its data kept."""
        if self._attached:
            procinfo.end(self._attached.pid, self._attached.started, self.grace_s)
        elif self._process:
            self._process.stop()
        self._forget()

    def kill(self) -> None:
        """SIGKILL, as a crash would; `start()` brings it back on the same data and port."""
        if self._attached:
            procinfo.end(self._attached.pid, self._attached.started, grace_s=0)
        elif self._process:
            self._process.kill()
        self._forget()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _start_once(self, timeout_s: float) -> None:
        if not self.ports:
            first = [self._wanted] if self._wanted else []
            self.ports = first + free_ports(self.port_count - len(first))
        for port in self.ports:
            if not is_free(port):
                raise PortTakenError(self.name, port)
        self._prepare()
        self._process = Process(
            Command(name=self.name, argv=self._argv(), log=self.directory / "log.txt", grace_s=self.grace_s), tied=self._tied
        )
        self._process.start()
        self._record(self._process)
        try:
            self._process.wait_ready(timeout_s, lambda: listens(self.port) and self.answers())
        except BaseException as error:
            self._process.kill()
            self._forget()
            self._explain(error, self._process.log_text())
            raise

    def _record(self, process: Process) -> None:
        if process.pid is not None and (started := procinfo.start_ticks(process.pid)) is not None:
            PidFile(process.pid, started, self.ports).write(self._pid_path)

    def _explain(self, error: BaseException, log: str) -> None:
        if "No space left on device" in log:
            raise self._full_disk() from error
        if "ddress already in use" in log:
            raise PortTakenError(self.name, self.port) from error

    def _refuse_stale(self) -> None:
        if record := PidFile.read(self._pid_path, self._marker):
            raise SetupError(
                f"{self.name}: another process (pid {record.pid}) still works on {self.directory}",
                f"end it with `python -m antiphon_local services down`, or `kill {record.pid}`",
            )

    def _refuse_full_disk(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self.directory).free < self.disk_mb * 1_000_000:
            raise self._full_disk()

    def _full_disk(self) -> SetupError:
        return SetupError(
            f"{self.name}: disk full: {self.directory} needs {self.disk_mb} MB free",
            "free some space, or choose another directory",
        )

    def _forget(self) -> None:
        self._attached = None
        self._pid_path.unlink(missing_ok=True)

    @property
    def _pid_path(self) -> Path:
        return self.directory / "process.json"

    @property
    def _marker(self) -> str:
        return str(self.directory)
