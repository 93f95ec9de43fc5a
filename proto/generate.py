"""Generate the contract's Python classes from the .proto files into the library (`make proto`).

With `--check` nothing is written: exit 1 names each generated file that is stale.
"""

import os
import sys
import sysconfig
import tempfile
from importlib.resources import files
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).parent
TARGET = PROTO.parent / "libs" / "antiphon" / "src"


def generate(target: Path) -> None:
    """Write `<target>/antiphon/v1/*_pb2.py` and `.pyi` for every .proto file. Raises SystemExit when protoc refuses."""
    os.environ["PATH"] = sysconfig.get_path("scripts") + os.pathsep + os.environ["PATH"]  # protoc looks there for its plugin
    sources = sorted(str(path.relative_to(PROTO)) for path in PROTO.glob("antiphon/v1/*.proto"))
    include = str(files("grpc_tools") / "_proto")
    code = protoc.main(["protoc", f"-I{PROTO}", f"-I{include}", f"--python_out={target}", f"--mypy_out=quiet:{target}", *sources])
    if code:
        raise SystemExit(code)


def stale() -> list[str]:
    """Return the generated files that differ from what the .proto files give now."""
    with tempfile.TemporaryDirectory() as directory:
        fresh = Path(directory)
        generate(fresh)
        made = {path.relative_to(fresh): path.read_bytes() for path in fresh.rglob("*_pb2.py*")}
    kept = {path.relative_to(TARGET): path.read_bytes() for path in (TARGET / "antiphon" / "v1").glob("*_pb2.py*")}
    return sorted(str(name) for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))


def main() -> int:
    """Generate, or check with `--check`."""
    if "--check" not in sys.argv[1:]:
        generate(TARGET)
        return 0
    if names := stale():
        sys.stderr.write("stale, run `make proto`: " + ", ".join(names) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
