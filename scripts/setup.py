"""Set up a fresh machine for this checkout: `python3 scripts/setup.py`, called by `make setup`.

Needs Python >= 3.11 and nothing else; standard library only. Runs on older ones far enough to say so. Repeated with nothing
changed it returns at once, and without a network everything it fetched before is used again.
"""

# ruff: noqa: S606 - a script, whose job is to start programs

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "antiphon-setup"
BOOTSTRAP = ROOT / "requirements" / "bootstrap.txt"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"
MEMBERS = (
    "libs/antiphon",
    "libs/understanding",
    "libs/contest",
    "services/ingest",
    "services/rules",
    "services/publisher",
    "services/metrics",
    "cli",
    "simulator",
    "deploy/local",
)

COMMANDS = {"antiphon": "antiphon_cli"}
"""Command → the module that it runs."""

OLDEST, TOO_NEW = (3, 11), (3, 14)
"""The locked packages have wheels for the versions between; for others each would need a compiler."""

GLIBC = (2, 28)
"""What the wheels of the database and the Kafka clients are built for."""

FREE_BYTES = 2_000_000_000
"""Packages, their cache, the Java runtime and the jars take 1.3 GB; the services' data needs the rest."""


def main() -> int:
    """Return 0 when the checkout is ready; 1 after naming what is missing, with the remedy."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    if not OLDEST <= sys.version_info[:2] < TOO_NEW:
        _continue_with_another_python()
    problems = prerequisites()
    if problems:
        for problem, remedy in problems:
            sys.stderr.write(f"setup: {problem}\n  remedy: {remedy}\n")
        return 1
    with _alone():
        if up_to_date():
            say("up to date")
            return 0
        try:
            install()
        except subprocess.CalledProcessError as error:
            sys.stderr.write(f"setup: this step failed (exit code {error.returncode}): {' '.join(map(str, error.cmd))}\n")
            sys.stderr.write(
                "  remedy: its own message is above; without a network check HTTPS_PROXY, then run `make setup` again\n"
            )
            return 1
    say("ready")
    return 0


def prerequisites() -> list[tuple[str, str]]:
    """Return (what is missing, what to do about it) for everything this machine lacks."""
    version = platform.python_version()
    glibc = tuple(int(part) for part in platform.libc_ver()[1].split(".")[:2] if part.isdigit())
    free = shutil.disk_usage(ROOT).free
    checks = (
        (
            OLDEST <= sys.version_info[:2] < TOO_NEW,
            f"Python {version} does not do: 3.11, 3.12 or 3.13 is needed",
            "install one (Debian, Ubuntu: `apt-get install python3.11 python3.11-venv`); it may stand beside the one you have",
        ),
        (
            all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")),
            f"Python {version} cannot make virtual environments (its venv or ensurepip module is missing)",
            f"Debian, Ubuntu: `apt-get install python3.{sys.version_info[1]}-venv`",
        ),
        (
            (platform.system(), platform.machine()) == ("Linux", "x86_64"),
            f"{platform.system()} on {platform.machine()} does not do: the backing services run on Linux x86_64",
            "use such a machine, or a virtual one",
        ),
        (
            platform.system() != "Linux" or (platform.libc_ver()[0] == "glibc" and glibc >= GLIBC),
            f"the C library is {' '.join(platform.libc_ver()).strip() or 'not glibc'}: glibc >= 2.28 is needed, not musl",
            "use a distribution with glibc of 2018 or later: Debian 10, Ubuntu 20.04, RHEL 8",
        ),
        (
            free >= FREE_BYTES or STAMP.exists(),
            f"disk: {free / 1e9:.1f} GB free at {ROOT}, {FREE_BYTES / 1e9:.0f} GB are needed",
            "free some space, or move the checkout to another disk",
        ),
    )
    return [(problem, remedy) for well, problem, remedy in checks if not well]


def install() -> None:
    """Make `.venv` what the lock files say, then fetch what the backing services need. Raises CalledProcessError."""
    STAMP.unlink(missing_ok=True)
    if not _venv_fits():
        say(f"creating .venv (Python {platform.python_version()})")
        _run(sys.executable, "-m", "venv", "--clear", VENV)
    say("adding this checkout's own packages")
    link_members()  # before the others: the installer leaves this file alone, so an interruption cannot lose it
    if _installed("uv") != _pinned("uv"):
        say("installing uv, the package installer, into .venv")
        _run(
            PYTHON, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", BOOTSTRAP
        )
    say("installing the locked packages (a minute the first time, then from a cache)")
    sync = (VENV / "bin" / "uv", "pip", "sync", "--quiet", "--require-hashes", "--no-build", "--python", PYTHON, REQUIREMENTS)
    if not _succeeds(*sync, "--offline"):  # from the cache alone: with a network, uv would insist on asking what it knows
        _run(*sync)
    say("preparing the backing services (Kafka, a MongoDB-wire store, Valkey)")
    _run(PYTHON, "-m", "antiphon_local", "prepare")
    STAMP.write_text(fingerprint(), encoding="ascii")


def link_members() -> None:
    """Put the members' sources on the path, and their commands beside Python: no build, so no network and nothing to repeat."""
    (site,) = (VENV / "lib").glob("python3.*/site-packages")
    lines = "".join(f"{ROOT / member / 'src'}\n" for member in MEMBERS)
    (site / "antiphon-workspace.pth").write_text(lines, encoding="utf-8")
    for name, module in COMMANDS.items():
        command = VENV / "bin" / name
        command.write_text(f"#!/bin/sh\nexec '{PYTHON}' -m {module} \"$@\"\n", encoding="utf-8")
        command.chmod(0o755)


def up_to_date() -> bool:
    """Tell whether the last set-up was of the very same files, interpreter and place."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="ascii") == fingerprint()


def fingerprint() -> str:
    """Return a hash of all that the result depends on."""
    inputs = (BOOTSTRAP, REQUIREMENTS, ROOT / "pyproject.toml", *(ROOT / member / "pyproject.toml" for member in MEMBERS))
    pins = ROOT / "deploy/local/src/antiphon_local/kafka-jars.lock"
    digest = hashlib.sha256(f"{ROOT}\n{sys.version}\n".encode())
    for path in (*inputs, pins, Path(__file__)):
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def say(text: str) -> None:
    """Print one line for the person who waits."""
    sys.stdout.write(f"setup: {text}\n")
    sys.stdout.flush()


def _continue_with_another_python() -> None:
    for minor in range(TOO_NEW[1] - 1, OLDEST[1] - 1, -1):
        other = shutil.which(f"python3.{minor}")
        if other and subprocess.run([other, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode == 0:
            os.execv(other, [other, *sys.argv])


def _venv_fits() -> bool:
    """A virtual environment knows its own place and interpreter: after a move or an upgrade of either it is made anew."""
    if not (VENV / "bin" / "uv").exists() and not (VENV / "bin" / "pip").exists():
        return False
    code = "import sys; print(sys.prefix, '%d.%d' % sys.version_info[:2])"
    try:
        result = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return result.stdout.strip() == f"{VENV} {sys.version_info[0]}.{sys.version_info[1]}"


def _installed(name: str) -> str | None:
    found = list((VENV / "lib").glob(f"python3.*/site-packages/{name}-*.dist-info"))
    return found[0].name[len(name) + 1 : -len(".dist-info")] if found else None


def _pinned(name: str) -> str:
    lines = BOOTSTRAP.read_text(encoding="utf-8").splitlines()
    return next(line.split("==")[1].split()[0] for line in lines if line.startswith(f"{name}=="))


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, cwd=ROOT, env=_environment())


def _succeeds(*command: str | Path) -> bool:
    return subprocess.run(command, check=False, capture_output=True, cwd=ROOT, env=_environment()).returncode == 0


def _environment() -> dict[str, str]:
    return {**os.environ, "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


@contextlib.contextmanager
def _alone():
    """Two set-ups of one checkout at once would undo each other's steps: the second waits, and finds the work done."""
    (ROOT / "var").mkdir(exist_ok=True)
    with (ROOT / "var" / "setup.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
