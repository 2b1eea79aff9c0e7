"""``fenghuo import``: real data sets as events."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_EXAMPLES = """\b
Examples:
  fenghuo import berka data/berka --out berka.jsonl
  fenghuo import call-centre data/callcenter/01_January.txt.gz --out january.jsonl
  fenghuo import complaints data/complaints             straight to the broker"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(name="import", epilog=_EXAMPLES)
    def import_data_set(
        name: Annotated[str, typer.Argument(help="berka, call-centre or complaints.")],
        paths: Annotated[list[Path], typer.Argument(metavar="PATH...", help="The data set's folder, or its files.")],
        out: Annotated[Path | None, typer.Option(help="File to write, - for standard output; without it, publish to the broker.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Summary as one JSON object.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Read and count; write nothing.")] = False,
    ) -> None:
        """Import a real data set: every row becomes events, or is counted with the reason why not (docs/importers.md)."""
        from itertools import islice

        from deploy.errors import UserError
        from deploy.importers import IMPORTERS
        from deploy.input_target import open_target, print_summary

        if name not in IMPORTERS:
            raise UserError("unknown data set", f"there are importers for {', '.join(IMPORTERS)}")
        imported = IMPORTERS[name](paths)
        if not dry_run:
            with open_target(out, len(imported) + 1, "events written", quiet=as_json) as target:
                lines = imported.lines()
                while batch := list(islice(lines, 5000)):
                    target.write(batch)
                    target.advance(len(batch))
        print_summary(imported.summary() | {"to": str(out or "broker"), "dry_run": dry_run}, as_json, to_error=str(out) == "-")
