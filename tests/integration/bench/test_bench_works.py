"""The benchmarks run and give every figure they promise; their values are nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.local, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]

PROMISED = {
    "ingest_handler_ratio",
    "ingest_durable_ratio",
    "ingest_durable_p99_ms",
    "link_redirect_us",
    "link_redirect_p99_ms",
    "engine_vs_aiokafka_ratio",
    "engine_vs_faust_ratio",
    "evaluate_10k_vs_10_ratio",
    "match_10k_vs_10_ratio",
    "match_10k_us",
    "match_100k_vs_10_ratio",
    "engine_10k_vs_10_ratio",
    "rule_live_p99_s",
    "understand_us",
    "backtest_events_per_s",
    "contest_draw_200k_s",
    "line_events_per_s",
}


def test_a_small_sample_of_everything(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    argv = [sys.executable, "-m", "bench", "--sample", "0.02", "--output", str(output), "--directory", str(tmp_path / "work")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(output.read_text())
    assert figures.keys() >= PROMISED
    assert {name.removeprefix("rss_mb_") for name in figures if name.startswith("rss_mb_")} >= {
        "ingest",
        "engine",
        "publisher",
        "metrics",
    }
    assert all(value > 0 for name, value in figures.items() if name in PROMISED)
