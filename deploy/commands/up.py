"""``fenghuo up``: the embedded stack alone, for processes started one by one."""

from __future__ import annotations

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo up\n  FENGHUO_EMBEDDED__BROKER_PORT=19092 fenghuo up\n\n"
        "Then paste what it prints into another terminal, and start fenghuo worker there."
    )
    def up() -> None:
        """Start the embedded broker and ClickHouse, create topics and tables, print the addresses, stay until Ctrl-C.

        Everything starts empty: the embedded broker keeps its records in memory, so the ClickHouse beside it is emptied too.
        """
        from deploy.staying_up import stay_up

        stay_up()
