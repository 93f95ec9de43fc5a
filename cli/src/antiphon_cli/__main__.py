"""The command `antiphon`."""

import sys


def main() -> None:
    """Run the command line."""
    if sys.argv[1:2] == ["understand"]:
        from antiphon_cli import understand  # starts at once: what draws tables and calls APIs is not loaded for it

        if (told := understand.options(sys.argv[2:])) is not None:
            sys.exit(understand.run(*told))
    from antiphon_cli.app import build  # not before: see above

    build()(prog_name="antiphon")


if __name__ == "__main__":
    main()
