"""The command line: the only room that prints, exits or reads the environment."""

import sys

from evalkit.errors import EvalkitError


def main() -> None:
    """Run a command; an EvalkitError becomes one line on stderr and its exit code."""
    from evalkit.cli.app import app

    try:
        app(prog_name="evalkit", standalone_mode=True)
    except EvalkitError as error:
        print(f"evalkit: {error.message}", file=sys.stderr)  # noqa: T201
        if error.hint:
            print(f"         {error.hint}", file=sys.stderr)  # noqa: T201
        sys.exit(error.exit_code)
