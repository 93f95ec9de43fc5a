"""`python -m antiphon_local run`, `services up|down|status|env` and `prepare`; `--help` says what each does."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from antiphon_local.errors import SetupError
from antiphon_local.line.hijack import main as run_hijack
from antiphon_local.line.run import Options, add_arguments
from antiphon_local.line.run import main as run_line
from antiphon_local.prepare import prepare
from antiphon_local.services import DIRECTORY, LocalServices

_INTERRUPTED = 130
"""What shells report for Ctrl-C."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 1 and a sentence with the remedy on failure."""
    options = _parser().parse_args(arguments)
    handler: Callable[[argparse.Namespace], int] = options.handler
    try:
        return handler(options)
    except SetupError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m antiphon_local")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    ready = commands.add_parser("prepare", help="download and verify what the services need (part of the set-up)")
    ready.set_defaults(handler=_prepare)
    line = commands.add_parser("run", help="start the whole line with a demo brand and feed it comments")
    add_arguments(line)
    line.set_defaults(handler=_run)
    services = commands.add_parser("services", help="the backing services of this checkout").add_subparsers(
        required=True, metavar="VERB"
    )
    for name, handler, text in (
        ("up", _up, "start them, or take over those that run; stay until Ctrl-C"),
        ("down", _down, "end them, whoever started them; their data stays"),
        ("status", _status, "say which run and answer; exit 1 unless all do"),
        ("env", _env, "print the settings that point a service at them"),
    ):
        verb = services.add_parser(name, help=text)
        verb.add_argument("--directory", type=Path, default=DIRECTORY, help="their data (default: var/local)")
        verb.set_defaults(handler=handler)
        if name == "up":
            verb.add_argument("--detach", action="store_true", help="leave them running and return")
    return parser


def _prepare(_: argparse.Namespace) -> int:
    prepare(say=_say)
    return 0


def _run(options: argparse.Namespace) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    if options.scenario == "hijack":
        return run_hijack(options.directory, once=options.once)
    return run_line(Options(options.replay, options.rate, options.once, options.directory, options.prometheus))


def _up(options: argparse.Namespace) -> int:
    services = LocalServices(options.directory, reuse=True, tied=not options.detach)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        services.start()
        _print_env(services)
        if all(service.attached for service in services.all):
            _say("these were running already, and go on")
        elif not options.detach:
            _say("running; Ctrl-C ends them")
            signal.pause()
    except KeyboardInterrupt:
        _say("ending the services")
    finally:
        if not options.detach:
            services.stop()
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _down(options: argparse.Namespace) -> int:
    _say(f"ended: {', '.join(LocalServices(options.directory).down()) or 'nothing ran'}")
    return 0


def _status(options: argparse.Namespace) -> int:
    services = LocalServices(options.directory)
    states = {service: service.attach() for service in services.all}
    for service, well in states.items():
        _say(f"{service.name}: answers at {service.address} (pid {service.pid})" if well else f"{service.name}: does not run")
    return 0 if all(states.values()) else 1


def _env(options: argparse.Namespace) -> int:
    services = LocalServices(options.directory)
    if not services.attach():
        raise SetupError("the backing services do not all run", "start them with `python -m antiphon_local services up --detach`")
    _print_env(services)
    return 0


def _print_env(services: LocalServices) -> None:
    for name, value in services.env().items():
        _say(f"{name}={value}")


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
