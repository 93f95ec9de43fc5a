"""Whatever is started has ended when its starter has, however that ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from antiphon_local import procinfo
from antiphon_local.errors import SetupError
from antiphon_local.pidfile import PidFile
from antiphon_local.ports import LOOPBACK, free_ports
from antiphon_local.procs import Command, Process, Supervisor, http_ready

SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal,time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(60)",
)


def command(tmp_path: Path, argv: tuple[str, ...] = SLEEP, name: str = "sleeper", grace_s: float = 5.0) -> Command:
    return Command(name=name, argv=argv, log=tmp_path / f"{name}.log", grace_s=grace_s)


def started(process: Process) -> int:
    process.start()
    process.wait_ready(20, lambda: "here" in process.log_text())
    assert process.pid is not None
    return process.pid


def wait_until(condition: Callable[[], bool], timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)


def test_a_process_starts_stops_and_starts_again(tmp_path: Path) -> None:
    process = Process(command(tmp_path))
    first = started(process)
    assert process.running
    with pytest.raises(SetupError, match="runs already"):
        process.start()
    assert process.stop() == -signal.SIGTERM
    assert procinfo.start_ticks(first) is None
    assert started(process) != first
    process.kill()
    assert process.exit_code == -signal.SIGKILL
    process.kill()
    assert process.stop() == -signal.SIGKILL


def test_one_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    process = Process(command(tmp_path, STUBBORN, grace_s=0.2))
    started(process)
    assert process.stop() == -signal.SIGKILL


def test_one_that_ends_at_start_shows_its_last_words(tmp_path: Path) -> None:
    process = Process(command(tmp_path, (sys.executable, "-c", "print('no such setting'); raise SystemExit(3)")))
    process.start()
    with pytest.raises(SetupError, match=r"(?s)exit code 3.*no such setting"):
        process.wait_ready(20, lambda: False)
    process.stop()


def test_a_program_that_does_not_exist_is_an_error_of_the_start(tmp_path: Path) -> None:
    process = Process(command(tmp_path, (str(tmp_path / "nothing"),)), tied=False)
    with pytest.raises(SetupError, match="cannot be started"):
        process.start()


SERVER = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        self.send_response(204 if Handler.asked > 2 else 503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_a_service_counts_as_ready_once_its_readiness_answers_2xx(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    url = f"http://{LOOPBACK}:{port}/readyz"
    assert not http_ready(url)
    with Supervisor() as procs:
        server = Command(name="server", argv=(sys.executable, "-c", SERVER, str(port)), log=tmp_path / "log", ready_url=url)
        process = procs.start(server, ready_timeout_s=20)
        assert process.log_text().count("GET /readyz") == 3
        assert http_ready(url)
        process.restart()
        process.wait_ready(20)
    assert not http_ready(url)


def test_one_that_never_gets_ready_is_ended_and_named(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    sleeper = Command(name="sleeper", argv=SLEEP, log=tmp_path / "log", ready_url=f"http://{LOOPBACK}:{port}/")
    with Supervisor() as procs:
        with pytest.raises(SetupError, match=r"(?s)sleeper is not ready after 0\.5 s"):
            procs.start(sleeper, ready_timeout_s=0.5)
        assert not procs.processes[0].running


def test_a_supervisor_ends_everything_also_when_the_block_raises(tmp_path: Path) -> None:
    pids: list[int] = []

    def use() -> None:
        with Supervisor() as procs:
            for name in ("one", "two"):
                process = procs.start(command(tmp_path, name=name))
                assert process.pid is not None
                pids.append(process.pid)
            assert procs.dead() == []
            procs.processes[0].command.log.touch()
            os.kill(pids[0], signal.SIGKILL)
            wait_until(lambda: not procs.processes[0].running)
            assert [process.command.name for process in procs.dead()] == ["one"]
            raise RuntimeError("the test's own")

    with pytest.raises(RuntimeError, match="own"):
        use()
    assert [procinfo.start_ticks(pid) for pid in pids] == [None, None]


PARENT = """
import sys, time
from pathlib import Path
from antiphon_local.procs import Command, Process
argv = (sys.executable, "-c", "import time; time.sleep(60)")
child = Process(Command(name="child", argv=argv, log=Path(sys.argv[1]) / "child.log"))
child.start()
print(child.pid, flush=True)
ENDING
"""


@pytest.mark.parametrize("ending", ["time.sleep(60)", "raise RuntimeError('a bug')", "sys.exit(0)"])
def test_children_end_with_their_parent_however_it_ends(tmp_path: Path, ending: str) -> None:
    code = PARENT.replace("ENDING", ending)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        if ending.startswith("time"):
            assert procinfo.start_ticks(child) is not None
            parent.kill()
        parent.wait(20)
    wait_until(lambda: procinfo.start_ticks(child) is None)


def test_a_pid_file_is_believed_only_while_that_very_process_runs(tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    process = Process(command(tmp_path, (*SLEEP, str(tmp_path))))
    pid = started(process)
    ticks = procinfo.start_ticks(pid)
    assert ticks is not None
    record = PidFile(pid, ticks, [4000])
    record.write(path)
    assert PidFile.read(path, str(tmp_path)) == record

    PidFile(pid, ticks + 1, [4000]).write(path)  # the pid was given to another process since
    assert PidFile.read(path, str(tmp_path)) is None
    assert not path.exists()

    record.write(path)
    assert PidFile.read(path, "/some/other/directory") is None

    record.write(path)
    process.kill()
    assert PidFile.read(path, str(tmp_path)) is None


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"[]"])
def test_a_pid_file_cut_off_by_a_crash_counts_for_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "process.json"
    path.write_bytes(content)
    assert PidFile.read(path, "x") is None
    assert not path.exists()


def test_ending_a_process_by_its_record_spares_a_successor_with_the_same_pid(tmp_path: Path) -> None:
    process = Process(command(tmp_path))
    pid = started(process)
    ticks = procinfo.start_ticks(pid)
    assert ticks is not None
    procinfo.end(pid, ticks + 1, grace_s=0)
    assert process.running
    procinfo.end(pid, ticks, grace_s=5)
    assert not process.running
