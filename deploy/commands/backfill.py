"""``fenghuo backfill``: a table anew from the journal, compared with the old one, then swapped."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo backfill customer_metrics --column flow_out_norm_30d     a new metric, over all of the past\n"
        "  fenghuo backfill transactions --column merchant --dry-run\n  fenghuo backfill alerts --journal journal-0.jsonl --journal journal-1.jsonl --no-swap"
    )
    def backfill(
        table: Annotated[str, typer.Argument(help="transactions, complaints, interactions, customers, feedback, customer_metrics or alerts.")],
        column: Annotated[list[str] | None, typer.Option(help="Column that is meant to change; may be repeated. Any other difference stops the swap.")] = None,
        journal: Annotated[list[Path] | None, typer.Option(help="Journal file; may be repeated. Default: the broker's journal.")] = None,
        pack: Annotated[str | None, typer.Option(help="Policy pack that the journal ran with. Default: the setting policy.pack.")] = None,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Read the journal and say what would be filled; change nothing.")] = False,
        no_swap: Annotated[bool, typer.Option("--no-swap", help="Fill and compare; leave the shadow table for a look.")] = False,
        keep_old: Annotated[bool, typer.Option("--keep-old", help="After the swap, keep the old rows as TABLE__backfill.")] = False,
        restart: Annotated[bool, typer.Option("--restart", help="Drop the shadow of a backfill that ended halfway.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """Fill a new column or metric for all of the past, from the journal, into a shadow table; swap when nothing else differs.

        The sink must be stopped, and have stored all it had to. Exit 1 if the tables differ in more than the named columns.
        """
        from deploy.backfilling import backfill as run

        run(table, column or [], journal or [], pack, dry_run=dry_run, swap=not no_swap, keep_old=keep_old, restart=restart, as_json=as_json)
