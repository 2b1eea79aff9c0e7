"""``fenghuo run``: input files through broker, workers and sink until drained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo run bank.jsonl --out result/\n  fenghuo run berka.jsonl complaints.jsonl --out result/ --pack bank-cz --workers 2\n"
        "  FENGHUO_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 FENGHUO_KAFKA__NAMESPACE=run-1 fenghuo run bank.jsonl --out result/"
    )
    def run(
        files: Annotated[list[Path], typer.Argument(help="Input files (JSON Lines of topic, key, value; .gz too).")],
        out: Annotated[Path, typer.Option(help="Folder for metrics.jsonl, alerts.jsonl, dead-letters.jsonl, late.jsonl, summary.json.")],
        pack: Annotated[str | None, typer.Option(help="Policy pack: a shipped name or a folder. Default: the setting policy.pack.")] = None,
        workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes; partitions are shared among them.")] = 1,
        journal: Annotated[bool, typer.Option("--journal", help="Write journal-<partition>.jsonl too.")] = False,
        keep: Annotated[bool, typer.Option("--keep", help="Leave broker and ClickHouse up at the end, until Ctrl-C.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    ) -> None:
        """Run files through broker, workers and sink, fill ClickHouse, and write what came out: the same files as replay.

        On the servers that the settings name; on the embedded ones, in a folder of their own, where they name none.
        """
        from deploy.running import run_files

        run_files(files, out, pack, workers=workers, journal=journal, keep=keep, as_json=as_json)
