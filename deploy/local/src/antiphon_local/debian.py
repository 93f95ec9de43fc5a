"""Programs of Debian without root: apt downloads and checks the packages, and they are only unpacked, into the shared cache."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from antiphon_local.errors import SetupError
from antiphon_local.jars import disk_errors, locked, sha256_of
from antiphon_local.settings import cache_directory

TIMEOUT_S = 300
"""For all packages of a program on a slow network; apt tries a mirror again by itself."""

_MANIFEST = "antiphon.sha256"
"""Written last: checksums of the programs, so that what a crash or a bad disk leaves behind is not taken for whole."""


def ensure_packages(
    name: str,
    packages: Sequence[str],
    programs: Sequence[str],
    *,
    superfluous: Sequence[str] = (),
    cache: Path | None = None,
    say: Callable[[str], None] | None = None,
    apt: str = "apt-get",
) -> Path:
    """Return the folder under which `packages` are unpacked as under `/`, downloaded when missing or damaged.

    `programs` (paths in it) must be there; `superfluous` (patterns of paths) is left out. Raises SetupError with the remedy where
    there is no apt, no network or no space. Safe to call from several processes at once.
    """
    base = (cache or cache_directory()) / name
    root = base / "root"
    with disk_errors(base):
        base.mkdir(parents=True, exist_ok=True)
        with locked(base / "lock"):
            if not _whole(root, programs):
                if say:
                    say(f"downloading {name} from Debian's packages into {base}")
                shutil.rmtree(root, ignore_errors=True)
                with tempfile.TemporaryDirectory(dir=base, prefix="partial-") as partial:
                    unpacked = Path(partial) / "root"
                    _download(apt, packages, Path(partial))
                    _unpack(Path(partial), unpacked, superfluous)
                    _sign(unpacked, programs)
                    unpacked.replace(root)
    return root


def _whole(root: Path, programs: Sequence[str]) -> bool:
    try:
        return (root / _MANIFEST).read_text(encoding="ascii") == _checksums(root, programs)
    except FileNotFoundError:
        return False


def _sign(root: Path, programs: Sequence[str]) -> None:
    try:
        (root / _MANIFEST).write_text(_checksums(root, programs), encoding="ascii")
    except FileNotFoundError as error:
        raise SetupError(
            f"Debian's packages do not hold {Path(error.filename).name}", "install it from elsewhere and put it on the PATH"
        ) from error


def _checksums(root: Path, programs: Sequence[str]) -> str:
    return "".join(f"{sha256_of(root / program)}  {program}\n" for program in programs)


def _download(apt: str, packages: Sequence[str], into: Path) -> None:
    user = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []  # its own user could not write here
    _run(
        [apt, "-qq", *user, "download", *packages],
        into,
        "refresh the lists with `apt-get update` (as root) and check the network",
    )


def _unpack(packages: Path, root: Path, superfluous: Sequence[str]) -> None:
    for package in sorted(packages.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(root)], packages, "try again: the package may have been cut off")
    for pattern in superfluous:
        for path in list(root.glob(pattern)):
            shutil.rmtree(path)


def _run(argv: Sequence[str], directory: Path, remedy: str) -> None:
    try:
        done = subprocess.run(argv, cwd=directory, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except FileNotFoundError as error:
        raise SetupError(
            f"this machine has no {argv[0]}, so Debian's packages cannot be had", "install the program and put it on the PATH"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise SetupError(f"{argv[0]} has not ended after {TIMEOUT_S} s", "check the network, then try again") from error
    if done.returncode:
        raise SetupError(f"{argv[0]} failed: {done.stderr.strip()[-1000:]}", remedy)
