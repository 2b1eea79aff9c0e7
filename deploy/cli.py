"""The ``fenghuo`` program. Each command is a module of ``deploy/commands`` with ``register(app)``.

Heavy imports belong inside the command's function, so that ``--help`` is quick.
"""

from __future__ import annotations

import importlib
import sys
from typing import Annotated

import typer

from deploy.errors import ExitCode, UserError
from deploy.version import version

#: Modules of ``deploy/commands``, in the order of ``fenghuo --help``.
COMMANDS = (
    "up",
    "config",
    "simulate",
    "import_",
    "demo",
    "replay",
    "run",
    "worker",
    "clock",
    "policy",
    "topics",
    "migrate",
    "backfill",
    "sink",
    "audit",
    "schema",
    "bench",
)


def build_app() -> typer.Typer:
    """The program with every command registered."""
    app = typer.Typer(
        name="fenghuo",
        help="Early warnings for banks: events in through Kafka, running customer metrics, explained alerts out, everything in ClickHouse.",
        epilog="\b\nExamples:\n  fenghuo config                 the effective settings\n  fenghuo COMMAND --help         what a command does\n\n"
        "Exit codes: 0 ok, 1 a difference or a failure, 2 usage or configuration, 3 Kafka or ClickHouse lost for good.",
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def program(
        version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_print_version)] = False,
    ) -> None:
        """Early warnings for banks: events in through Kafka, running customer metrics, explained alerts out, everything in ClickHouse."""

    for name in COMMANDS:
        importlib.import_module(f"deploy.commands.{name}").register(app)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        from deploy.version import core

        typer.echo(f"fenghuo {version()} (core {core()})")
        raise typer.Exit


def main() -> None:
    """Entry point: one clear line for what the user can put right, a traceback only for our own mistakes."""
    try:
        build_app()()
    except UserError as error:
        print(f"fenghuo: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"  {error.hint}", file=sys.stderr)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # the reader of our output has left: `fenghuo ... | head`
        sys.stderr.close()
        sys.exit(ExitCode.OK)
