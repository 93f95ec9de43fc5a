"""All commands on one application."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typing_extensions import override

from antiphon_cli import (
    backtest_command,
    campaign_commands,
    campaign_entries,
    campaign_verify,
    config_commands,
    explain_command,
    holds_commands,
    keys_commands,
    login_command,
    outbox_commands,
    people_commands,
    report_command,
    tail_command,
    trial_commands,
)
from antiphon_cli.console import complain
from antiphon_cli.errors import Exit, Failure


class _Commands(TyperGroup):
    """Ends with our exit codes and words, never with a traceback for what people can mend."""

    @override
    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Failure as failure:
            complain(failure)
            raise typer.Exit(failure.code) from failure
        except KeyboardInterrupt as interrupt:
            raise typer.Exit(Exit.INTERRUPTED) from interrupt


def build() -> typer.Typer:
    """Return the application."""
    app = typer.Typer(
        cls=_Commands,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(epilog="Example: antiphon login, then antiphon rules pull")(_root)
    _group(
        app,
        "rules",
        "Rules and settings as files; trying them before they act.",
        config_commands.register,
        trial_commands.register,
        backtest_command.register,
    )
    _group(
        app,
        "campaign",
        "Campaigns: when they take entries, what was entered, and draws that anyone can repeat.",
        campaign_commands.register,
        campaign_entries.register,
        campaign_verify.register,
    )
    _group(app, "holds", "Crises: where automation waits for people, and the switch for everything.", holds_commands.register)
    _group(app, "outbox", "What waits for a person: approvals, and posts of which nobody knows.", outbox_commands.register)
    _group(app, "keys", "API keys: a token is shown once, when it is made.", keys_commands.register)
    _group(app, "people", "Privacy: what is held about a person, and forgetting one.", people_commands.register)
    login_command.register(app)
    explain_command.register(app)
    tail_command.register(app)
    report_command.register(app)
    app.command("understand", epilog="Example: echo 'Das ist super!' | antiphon understand --languages de,en")(_understand)
    return app


def _group(app: typer.Typer, name: str, about: str, *registers: Callable[[typer.Typer], None]) -> None:
    group = typer.Typer(no_args_is_help=True, help=about)
    for register in registers:
        register(group)
    app.add_typer(group, name=name)


def _root(
    url: Annotated[str, typer.Option("--url", metavar="URL", help="The API; else ANTIPHON_URL, else that of the login.")] = "",
    key_file: Annotated[
        Path | None,
        typer.Option("--key-file", metavar="FILE", help="Holds the API key; else ANTIPHON_KEY, else that of the login."),
    ] = None,
) -> None:
    """Rules that answer a crowd in a brand's name. A key is never taken from the command line, where others can read it."""
    del url, key_file  # commands read them from the context


def _understand(
    language: Annotated[str, typer.Option(metavar="TAG", help="Take every text for this language.")] = "",
    languages: Annotated[str, typer.Option(metavar="TAGS", help="The languages to choose from when unsure: en,de,fr.")] = "",
) -> None:
    """Tell language, sentiment and flags of each line of standard input, as one JSON object a line."""
    from antiphon_cli import understand  # loads models, which the other commands do without

    raise typer.Exit(understand.run(language, understand.listed(languages)))
