"""`python -m publisher worker` sends; `python -m publisher api` serves people."""

import sys

from antiphon.process import run
from publisher.app import api, worker
from publisher.settings import PublisherSettings

ROLES = {"worker": worker, "api": api}


def main(arguments: list[str]) -> int:
    """Run one role until it is told to stop; return the exit code."""
    if len(arguments) != 1 or arguments[0] not in ROLES:
        sys.stderr.write("usage: python -m publisher worker|api\n")
        return 2
    settings = PublisherSettings()
    return run("publisher", settings, lambda: ROLES[arguments[0]](settings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
