"""Write the lock files in `requirements/` from the pyproject files: `.venv/bin/python scripts/lock.py` (`--check`: only compare).

`dev.txt` is everything a checkout needs, `<service>.txt` what that service's image needs, `bootstrap.txt` the installer itself.
uv.lock is left out of the repository because it records download addresses: with names, versions and hashes alone a mirror works
too. Where uv.lock is missing, every package is resolved anew to its newest version; `--upgrade` does that on purpose.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
SERVICES = ("ingest", "rules", "publisher", "metrics")
EXPORT = ("export", "--quiet", "--frozen", "--no-emit-workspace", "--no-header", "--no-annotate", "--format", "requirements-txt")
INPUTS = "# inputs: "
"""Marks the line with the hash of what the pyproject files ask for, by which a stale lock file is known without a network."""


def main() -> int:
    """Write or check; 1 when the check finds a stale file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 when a file does not match the pyproject files"
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions instead of the locked ones")
    options = parser.parse_args()
    if options.check:
        stale = [name for name in (*SERVICES, "dev", "bootstrap") if not fresh(REQUIREMENTS / f"{name}.txt")]
        if stale:
            sys.stderr.write(f"stale: requirements/{', '.join(stale)}: run scripts/lock.py\n")
        return 1 if stale else 0
    _uv("lock", *(["--upgrade"] if options.upgrade else []))
    dev = _uv(*EXPORT)
    write("dev", dev)
    write("bootstrap", requirement(dev, "uv"))
    for service in SERVICES:
        write(service, _uv(*EXPORT, "--no-default-groups", "--package", f"antiphon-{service}"))
    return 0


def fresh(path: Path) -> bool:
    """Tell whether the lock file was made from the pyproject files as they are now."""
    return path.is_file() and path.read_text(encoding="utf-8").startswith(f"{INPUTS}{inputs_hash()}\n")


def inputs_hash() -> str:
    """Return a hash of everything in the pyproject files that decides what is installed."""
    wanted = {}
    for path in sorted(ROOT.glob("**/pyproject.toml")):
        if ".venv" in path.parts or "var" in path.relative_to(ROOT).parts:
            continue
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        project = table.get("project", {})
        asked = [project.get(key) for key in ("requires-python", "dependencies", "optional-dependencies")]
        wanted[str(path.relative_to(ROOT))] = [*asked, table.get("dependency-groups")]
    return hashlib.sha256(json.dumps(wanted, sort_keys=True).encode()).hexdigest()


def requirement(text: str, name: str) -> str:
    """Return the entry of one package, with its hashes. Raises SystemExit when it is not locked."""
    match = re.search(rf"^{re.escape(name)}==.*\n(?:    .*\n)*", text, re.MULTILINE)
    if match is None:
        raise SystemExit(f"{name} is not among the locked packages")
    return match[0]


def write(name: str, text: str) -> None:
    """Write one lock file. Raises SystemExit when it would contain an address or a package without hashes."""
    if "://" in text:
        raise SystemExit(
            f"requirements/{name}.txt would contain an address: a source or an index in a pyproject file is to blame"
        )
    entries = re.findall(r"^[\w.-]+==.*\n(?:    .*\n)*", text, re.MULTILINE)
    if bare := [entry.split("==")[0] for entry in entries if "--hash" not in entry] or not entries:
        raise SystemExit(f"requirements/{name}.txt would contain packages without hashes: {bare}")
    REQUIREMENTS.mkdir(exist_ok=True)
    (REQUIREMENTS / f"{name}.txt").write_text(f"{INPUTS}{inputs_hash()}\n{text}", encoding="utf-8")
    sys.stdout.write(f"lock: requirements/{name}.txt: {len(entries)} packages\n")


def _uv(*arguments: str) -> str:
    uv = Path(sysconfig.get_path("scripts")) / "uv"
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    result = subprocess.run([uv, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        raise SystemExit(result.returncode)
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
