"""``fenghuo replay``: the pure core over input files or journals, no broker."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo replay bank.jsonl --out result/\n  fenghuo replay berka.jsonl --out result/ --pack bank-cz --journal\n"
        "  fenghuo replay --from-journal result/journal-*.jsonl --out again/"
    )
    def replay(
        files: Annotated[list[Path], typer.Argument(help="Input files (JSON Lines of topic, key, value; .gz too), or journals with --from-journal.")],
        out: Annotated[Path, typer.Option(help="Folder for metrics.jsonl, alerts.jsonl, dead-letters.jsonl, late.jsonl, summary.json.")],
        pack: Annotated[str | None, typer.Option(help="Policy pack: a shipped name or a folder. Default: the setting policy.pack.")] = None,
        journal: Annotated[bool, typer.Option("--journal", help="Write journal-<partition>.jsonl too.")] = False,
        from_journal: Annotated[bool, typer.Option("--from-journal", help="FILES are journals: apply them in their own order.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
    ) -> None:
        """Run the pure core over files, without a broker, and write what comes out."""
        from deploy.replaying import replay_files

        replay_files(files, out, pack, journal=journal, from_journal=from_journal, as_json=as_json)
