"""Fixtures and options of the whole suite."""

import random
import signal
from typing import Any

import pytest

pytest_plugins = ["antiphon_local.fixtures"]

LONGEST = ("integration/bench/", "e2e/test_kill_matrix", "engine/test_engine_survives")

_FRESH_SEED = random.SystemRandom().randrange(2**31)


if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as a shell starts what is to run behind it, and all children with it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=_FRESH_SEED, help="replays the random choices of an earlier run")
    parser.addoption("--rounds", type=int, default=1, help="how often the kill matrix goes round")


def pytest_configure(config: pytest.Config) -> None:
    """Give each worker the seed of the whole run: it decides also which tests there are."""
    shared = getattr(config, "workerinput", None)
    if shared is not None:
        config.option.seed = shared["seed"]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Hand the seed to a worker that is about to start."""
    node.workerinput["seed"] = node.config.getoption("--seed")


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('--seed')} (make test SEED={config.getoption('--seed')} replays it)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files, so that no process waits for another one at the end."""
    items.sort(key=lambda item: not any(part in item.nodeid for part in LONGEST))


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Random choices of one test, the same for the same seed and test."""
    return random.Random(f"{request.config.getoption('--seed')}/{request.node.nodeid}")
