"""`python -m metrics`: settings, logging, run."""

import sys
from functools import partial

import antiphon.loading  # noqa: F401 (before everything else)
from antiphon.process import run
from metrics.app import build
from metrics.settings import MetricsSettings


def main() -> int:
    """Run until a signal; return the exit code."""
    settings = MetricsSettings()
    return run("metrics", settings, partial(build, settings))


if __name__ == "__main__":
    sys.exit(main())
