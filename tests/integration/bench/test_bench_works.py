"""The benchmarks run and give the figures they promise; their values are nobody's business here.

A run tries one part by the seed; `make bench SAMPLE=0.02` goes through all.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.local, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[3]

PARTS = {
    "match": {"match_10k_vs_10_ratio", "match_10k_us", "match_100k_vs_10_ratio"},
    "evaluate": {"evaluate_10k_vs_10_ratio"},
    "understand": {"understand_us"},
    "contest": {"contest_draw_200k_s"},
    "backtest": {"backtest_events_per_s"},
    "ingest": {"ingest_handler_ratio", "ingest_durable_ratio", "ingest_durable_p99_ms"},
    "links": {"link_redirect_us", "link_redirect_p99_ms"},
    "engine": {"engine_vs_aiokafka_ratio", "engine_vs_faust_ratio"},
    "sizes": {"engine_10k_vs_10_ratio"},
    "live": {"rule_live_p99_s"},
    "metrics": {"metrics_events_per_s", "report_90d_p95_s"},
    "line": {"line_events_per_s", "rss_mb_ingest", "rss_mb_engine", "rss_mb_publisher", "rss_mb_metrics"},
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize("part", PARTS)
def test_a_small_sample_gives_what_is_promised(part: str, tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    argv = [sys.executable, "-m", "bench", "--sample", "0.02", "--only", part]
    argv += ["--output", str(output), "--directory", str(tmp_path / "work")]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(output.read_text())
    promised = PARTS[part]
    assert figures.keys() >= promised
    assert all(figures[name] > 0 for name in promised)
