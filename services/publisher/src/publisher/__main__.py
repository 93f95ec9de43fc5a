"""`python -m publisher worker` sends; `… api` serves people; `… campaigns` keeps the ledger of entries."""

import sys
from importlib import import_module

import antiphon.loading  # noqa: F401 (before everything else)
from antiphon.process import run
from publisher.settings import PublisherSettings

ROLES = {"worker": "publisher.worker_app", "api": "publisher.app", "campaigns": "publisher.campaigns_app"}
"""Role → the module that builds it: only its own is loaded, because campaigns bring a numeric library along."""


def main(arguments: list[str]) -> int:
    """Run one role until it is told to stop; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.stderr.write(f"usage: python -m publisher {'|'.join(ROLES)}\n")
        return 2
    role = arguments[0]
    settings, build = PublisherSettings(), getattr(import_module(ROLES[role]), role)
    return run("publisher", settings, lambda: build(settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
