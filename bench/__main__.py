"""`python -m bench`: measure everything, write `var/bench.json` and, at full size, `docs/benchmarks.md`.

With `--only` the figures of the other parts stay as they were measured before; the page is written when all are at full size.
"""

import argparse
import shutil
from pathlib import Path

import orjson

from antiphon_local.services import LocalServices
from bench import backtest, contest, engine, evaluate, guard, ingest, line, links, match, metrics, understand
from bench.report import FIGURES, write_report

ROOT = Path(__file__).parents[1]
DIRECTORY = ROOT / "var" / "bench"
RESULT = ROOT / "var" / "bench.json"

PARTS = (
    "match",
    "evaluate",
    "understand",
    "backtest",
    "contest",
    "guard",
    "ingest",
    "links",
    "engine",
    "sizes",
    "live",
    "metrics",
    "line",
)


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--sample", type=float, default=1.0, help="share of the full size; figures of a small sample mean little")
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this, the rest stays; may be repeated")
    parser.add_argument("--output", type=Path, default=RESULT, help="where the flat map of figures goes")
    parser.add_argument("--directory", type=Path, default=DIRECTORY, help="data and logs; emptied first")
    options = parser.parse_args()
    shutil.rmtree(options.directory, ignore_errors=True)
    figures: dict[str, float] = orjson.loads(options.output.read_bytes()) if options.only and options.output.exists() else {}
    for part in options.only or PARTS:
        print(f"measuring {part} …", flush=True)
        found = _measure(part, options.sample, options.directory / part)
        for name, value in found.items():
            print(f"  {name:32} {value:12.3f}", flush=True)
        figures |= found
    figures["sample"] = min(options.sample, figures.get("sample", options.sample))
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_bytes(
        orjson.dumps({name: round(value, 4) for name, value in figures.items()}, option=orjson.OPT_INDENT_2)
    )
    if figures["sample"] >= 1 and figures.keys() >= FIGURES.keys():
        write_report(ROOT / "docs" / "benchmarks.md", figures)
    return 0


def _measure(part: str, sample: float, directory: Path) -> dict[str, float]:
    if part in _ALONE:
        return _ALONE[part](sample)
    if part == "line":
        return line.through(directory, sample)
    with LocalServices(directory / "services", partitions=engine.PARTITIONS) as services:
        if part in _SERVED:
            return _SERVED[part](services, sample)
        return _ON_KAFKA[part](services, directory, sample)


_ALONE = {
    "match": match.measure,
    "evaluate": evaluate.measure,
    "understand": understand.measure,
    "backtest": backtest.measure,
    "contest": contest.measure,
    "guard": guard.measure,
}
"""Parts that are measured in this process."""

_SERVED = {"ingest": ingest.measure, "links": links.measure, "metrics": metrics.measure}
"""Parts that are measured from outside, on the backing services."""

_ON_KAFKA = {"engine": engine.measure, "sizes": engine.sizes, "live": line.live}


if __name__ == "__main__":
    raise SystemExit(main())
