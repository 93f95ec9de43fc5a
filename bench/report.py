"""The page that shows the figures: what each means, what it should reach, what it reached, on what machine, when."""

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure's meaning and its aim; `least` and `most` are in the figure's own unit."""

    meaning: str
    least: float | None = None
    most: float | None = None

    def aim(self) -> str:
        """Return the aim in words."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    def verdict(self, value: float) -> str:
        """Say whether the value reaches the aim."""
        if self.least is None and self.most is None:
            return ""
        reached = (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        return "reached" if reached else "not reached"


_GUARDS = (
    ("", ""),
    ("fixed_", "; fixed threshold"),
    ("sigma_", "; mean + 3σ"),
    ("fixed_even_", "; fixed threshold, raised to the guard's false holds"),
    ("sigma_even_", "; mean + kσ, raised to the guard's false holds"),
)
"""Ways of telling a crisis, and what is said of their figures."""

FIGURES: Mapping[str, Figure] = {
    "sample": Figure("share of the full size, the smallest of all parts"),
    "metrics_events_per_s": Figure("events a second, each with its decision, from Kafka into the read model", least=2_000),
    "metrics_bare_inserts_per_s": Figure("baseline: facts a second that the store takes from a client that only inserts pages"),
    "report_90d_p50_s": Figure("median time of a report over 90 days and 1,000,000 events of one brand, s"),
    "report_90d_p95_s": Figure("p95 of the same over all seven reports, s", most=2),
    "ingest_bare_us": Figure("CPU-µs a request of the baseline: uvicorn, a raw ASGI function that checks the signature"),
    "ingest_handler_us": Figure("CPU-µs a request of ingest's handler with signature and decoding"),
    "ingest_handler_ratio": Figure("baseline ÷ handler", least=0.8),
    "ingest_accept_us": Figure("the same with normalising and encoding, into a log that forgets"),
    "ingest_accept_ratio": Figure("baseline ÷ accept"),
    "ingest_durable_us": Figure("the same with Kafka's acknowledgement on all replicas"),
    "ingest_durable_ratio": Figure("baseline ÷ durable", least=0.3),
    "ingest_durable_p99_ms": Figure("p99 from request to answer at 64 connections, load and server on one CPU, ms", most=10),
    "link_bare_us": Figure("CPU-µs a request of the baseline: uvicorn, a raw ASGI function that answers 302"),
    "link_forgetful_us": Figure("CPU-µs a click on a tracked link: signature, lookup, visitor, event, into a log that forgets"),
    "link_redirect_us": Figure("the same with Kafka's acknowledgement on all replicas, waited for"),
    "link_redirect_ratio": Figure("baseline ÷ redirect"),
    "link_redirect_p99_ms": Figure(
        "p99 from click to redirect at 64 connections, load and server on one CPU, ms; the wait for Kafka ends at 100", most=100
    ),
    "engine_us": Figure("CPU-µs an event of the engine: protobuf in and out, 100 rules, a tenth of the events consuming a limit"),
    "aiokafka_us": Figure("CPU-µs a record of aiokafka getmany → send"),
    "faust_us": Figure("CPU-µs a record of Faust's pass-through with default settings"),
    "engine_vs_aiokafka_ratio": Figure("aiokafka ÷ engine", least=0.12),
    "engine_vs_faust_ratio": Figure("Faust ÷ engine", least=1.5),
    "evaluate_10_us": Figure("CPU-µs of the evaluation alone with 10 rules"),
    "evaluate_10k_us": Figure("the same with 10,000 rules"),
    "evaluate_10k_vs_10_ratio": Figure("10,000 rules ÷ 10 rules, a tenth of the events acting in both", most=4),
    "evaluate_enriched_10k_us": Figure("the same with language, sentiment and flags"),
    "match_10_us": Figure("CPU-µs an event of matching alone, 10 rules of one brand"),
    "match_10k_us": Figure("the same with 10,000 rules", most=8),
    "match_100k_us": Figure("the same with 100,000 rules"),
    "match_10k_vs_10_ratio": Figure("10,000 rules ÷ 10 rules", most=3),
    "match_100k_vs_10_ratio": Figure("100,000 rules ÷ 10 rules", most=8),
    "match_10k_loop_us": Figure("baseline: a loop over the keywords of 10,000 rules with `in`"),
    "match_10k_alternation_us": Figure("baseline: one regular expression of them all"),
    "understand_us": Figure("CPU-µs a comment: language, sentiment and flags, warm", most=60),
    "understand_first_us": Figure("the same over comments that are met for the first time"),
    "understand_baseline_us": Figure("baseline: pycld2 and a hashing vectoriser with a linear model, one comment a call"),
    "backtest_events_per_s": Figure(
        "recorded events replayed a second of CPU time, 1,000 rules, decoding included", least=20_000
    ),
    "backtest_diff_events_per_s": Figure("the same under two sets of rules, compared"),
    "backtest_naive_events_per_s": Figure("baseline: the same with every rule asked about every event"),
    "contest_draw_200k_s": Figure(
        "CPU-seconds of a draw of 100 winners and 100 alternates from 200,000 entries, tree and certificate included", most=5
    ),
    "contest_verify_200k_s": Figure("CPU-seconds of reading that certificate and making the draw again"),
    "contest_shuffle_200k_s": Figure("baseline: Python's `random.sample` of the same, which nobody can check"),
    "engine_10_us": Figure("CPU-µs an event of the engine with 10 rules of one brand"),
    "engine_10k_us": Figure("the same with 10,000 rules"),
    "engine_10k_vs_10_ratio": Figure("10 rules ÷ 10,000 rules: the throughput that is left", least=0.95),
    "rule_live_p50_s": Figure(
        "seconds from the request that saves a rule to the first event decided by it, 10,000 other rules in the brand, median"
    ),
    "rule_live_p99_s": Figure("the same, p99", most=0.5),
    **{
        f"guard_{way}delay_{size}x_minutes": Figure(f"minutes from the start of a crisis of {size} × to its hold, median{words}")
        for way, words in _GUARDS
        for size in (2, 5, 20)
    },
    **{
        f"guard_{way}missed_{size}x": Figure(f"share of such crises that ended without a hold{words}")
        for way, words in _GUARDS
        for size in (2, 5, 20)
    },
    "guard_false_holds_per_week": Figure("holds a brand and week in the real stream without a crisis", most=0.5),
    "guard_fixed_times": Figure("the fixed threshold as people set it, times the mean hour"),
    "guard_fixed_false_holds_per_week": Figure("holds a brand and week with it"),
    "guard_fixed_even_times": Figure("the fixed threshold raised until it makes as few false holds as the guard"),
    "guard_fixed_even_false_holds_per_week": Figure("holds a brand and week with it"),
    "guard_sigma_times": Figure("standard deviations above the mean of all hours, as people set them"),
    "guard_sigma_false_holds_per_week": Figure("holds a brand and week with them"),
    "guard_sigma_even_times": Figure("standard deviations raised until they make as few false holds as the guard"),
    "guard_sigma_even_false_holds_per_week": Figure("holds a brand and week with them"),
    "guard_us": Figure("CPU-µs to count a decision (decoding aside)", most=100),
    "line_events_per_s": Figure("comments a second through the whole line on this machine, simulator and stores included"),
    "line_p95_ms": Figure("p95 from comment to reply in that run, all comments at once, ms"),
}


def write_report(path: Path, figures: Mapping[str, float]) -> None:
    """Write the page."""
    named = [name for name in FIGURES if name in figures]
    rows = [_row(name, figures[name]) for name in (*named, *(name for name in figures if name not in FIGURES))]
    text = "\n".join(
        [
            "# Benchmarks",
            "",
            "Made by `make bench`. CPU-µs are user plus system time of the measured process, pinned to one CPU, the medians of",
            "interleaved rounds; ratios compare within one run, because machines differ and drift.",
            "",
            f"{datetime.now(UTC):%Y-%m-%d}, {_machine()}.",
            "",
            "| figure | value | aim | | meaning |",
            "|---|---:|---|---|---|",
            *rows,
            "",
        ]
    )
    notes = path.with_name("benchmarks-notes.md")
    path.write_text(text + (notes.read_text() if notes.exists() else ""))


def _row(name: str, value: float) -> str:
    figure = FIGURES.get(name, Figure("peak memory of the process in that run, MB" if name.startswith("rss_mb_") else ""))
    shown = f"{value:.3g}" if value < 100 else f"{value:.0f}"
    return f"| `{name}` | {shown} | {figure.aim()} | {figure.verdict(value)} | {figure.meaning} |"


def _machine() -> str:
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line), ""
    )
    return f"{os.cpu_count()} × {model}, Linux {platform.release()}, Python {platform.python_version()}"
