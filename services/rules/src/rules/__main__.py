"""`python -m rules api | engine | historian | guard | key`."""

import argparse
import asyncio
import sys

import antiphon.loading  # noqa: F401 (before everything else)
from antiphon import process
from antiphon.auth import Role
from antiphon.errors import Transient
from rules.app import api, create_key
from rules.entities import INSTALLATION, is_slug
from rules.guard_app import guard
from rules.historian_app import historian
from rules.keys import DEFAULT_DAYS, Grant, MadeKey
from rules.settings import RulesApiSettings, RulesEngineSettings, RulesGuardSettings, RulesHistorianSettings, RulesSettings


def main() -> int:
    """Run one role; return the exit code."""
    arguments = _parser().parse_args()
    if arguments.command == "key":
        return _key(RulesSettings(), arguments)
    if arguments.command == "engine":
        from rules.engine_app import run_engine  # the API does without Faust

        return run_engine(RulesEngineSettings())
    if arguments.command == "historian":
        kept = RulesHistorianSettings()
        return process.run("rules-historian", kept, lambda: historian(kept))
    if arguments.command == "guard":
        watching = RulesGuardSettings()
        return process.run("rules-guard", watching, lambda: guard(watching))
    settings = RulesApiSettings()
    return process.run("rules-api", settings, lambda: api(settings))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m rules")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("api", help="serve the configuration API")
    commands.add_parser("engine", help="decide events")
    commands.add_parser("historian", help="keep the archive of events and decisions, and work off back-tests")
    commands.add_parser("guard", help="watch for crises, and hold automation when one comes")
    key = commands.add_parser("key", help="make an API key and print its token once")
    key.add_argument("--brands", required=True, type=_brands, help="brand ids separated by commas, or '*' for all")
    key.add_argument("--role", required=True, choices=[role.name.lower() for role in Role])
    key.add_argument("--name", default="made by command", help="what people see in the list of keys")
    key.add_argument("--expires-days", type=_days, default=DEFAULT_DAYS, help="default %(default)s")
    return parser


def _brands(text: str) -> tuple[str, ...]:
    brands = tuple(text.split(","))
    if brands != (INSTALLATION,) and not all(is_slug(brand) for brand in brands):
        raise argparse.ArgumentTypeError("brand ids separated by commas, or '*'")
    return brands


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 10 * DEFAULT_DAYS:
        raise argparse.ArgumentTypeError(f"1 to {10 * DEFAULT_DAYS}")
    return days


def _key(settings: RulesSettings, arguments: argparse.Namespace) -> int:
    process.prepare("rules-key", settings)
    grant = Grant(name=arguments.name, brands=arguments.brands, role=Role[arguments.role.upper()], days=arguments.expires_days)
    try:
        made: MadeKey = asyncio.run(create_key(settings, grant))
    except Transient as error:
        print(f"no key was made: {error}", file=sys.stderr)  # noqa: T201 (a command talks to a terminal)
        return 1
    if made.saved.revision is None:
        print("the topic is away; a running API will publish the key", file=sys.stderr)  # noqa: T201
    print(made.token)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
