"""Fixtures and options of the whole suite."""

import random
import signal
from typing import Any

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

pytest_plugins = ["antiphon_local.fixtures"]

hypothesis.settings.register_profile("untimed", deadline=None)  # a slow machine is no error
hypothesis.settings.load_profile("untimed")

SHARE_A_LINE = tuple(f"tests/e2e/test_{name}.py" for name in ("dashboards", "typical_journey", "holds", "forgetting"))
"""Files that one worker has, because they work on the same running line."""

FIRST = (
    *SHARE_A_LINE,
    "e2e/test_kill_matrix",
    "metrics/test_reports_are_exact",
    "engine/test_replay_reproduces",
    "integration/bench/",
    "integration/",
)
"""What takes longest comes first; of the shared line the tests that need everybody's records before the one that erases some."""

_FRESH_SEED = random.SystemRandom().randrange(2**31)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what is to run behind it, and all children with it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=_FRESH_SEED, help="replays the random choices of an earlier run")
    parser.addoption("--rounds", type=int, default=1, help="how often the tests that kill go round")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker the seed of the whole run: it decides also which tests there are."""
    shared = getattr(config, "workerinput", None)
    if shared is not None:
        config.option.seed = shared["seed"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a worker that is about to start."""
    node.workerinput["seed"] = node.config.getoption("--seed")


class Scheduling(LoadFileScheduling):
    """A file for a worker, and those of `SHARE_A_LINE` for one."""

    def _split_scope(self, nodeid: str) -> str:
        return "the line" if nodeid.startswith(SHARE_A_LINE) else str(super()._split_scope(nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """Return who hands the tests to the workers."""
    return Scheduling(config, log)


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (make test SEED={config.getoption('--seed')} replays it)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the seed does not choose; begin with the longest files, so that no worker waits at the end."""
    if config.getoption("--rounds") == 1:
        left_out = _not_sampled(items, config.getoption("--seed"))
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left_out])
        items[:] = [item for item in items if item.nodeid not in left_out]
    items.sort(key=lambda item: next((place for place, part in enumerate(FIRST) if part in item.nodeid), len(FIRST)))


def _not_sampled(items: list[pytest.Item], seed: int) -> set[str]:
    """Return the cases of tests marked `sampled(n)` beyond the n of each that the seed chooses."""
    cases: dict[tuple[str, int], list[str]] = {}
    for item in items:
        if marker := item.get_closest_marker("sampled"):
            cases.setdefault((item.nodeid.partition("[")[0], marker.args[0]), []).append(item.nodeid)
    left_out: set[str] = set()
    for (function, most), found in cases.items():
        left_out.update(set(found).difference(random.Random(f"{seed}/{function}").sample(found, min(most, len(found)))))
    return left_out


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often to go round."""
    return request.config.getoption("--rounds")


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random choices of one test, the same for the same seed and test."""
    return random.Random(f"{request.config.getoption('--seed')}/{request.node.nodeid}")
