"""``fenghuo schema``: the contract as JSON Schema and AsyncAPI, and whether old events can still be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    schema = typer.Typer(no_args_is_help=True, help="Write the contract as JSON Schema and AsyncAPI; check that old events can still be read.")
    app.add_typer(schema, name="schema")

    @schema.command(epilog="\b\nExamples:\n  fenghuo schema export\n  fenghuo schema export --out contract/")
    def export(
        out: Annotated[Path | None, typer.Option("--out", help="Folder to write to. [default: the committed one, schemas/json]", file_okay=False)] = None,
    ) -> None:
        """Write one JSON Schema a model and asyncapi.json; a schema whose meaning changed becomes a new numbered version under history/."""
        from schemas.export import COMMITTED, export

        folder = out or COMMITTED
        for path in export(folder):
            typer.echo(f"wrote {path}")
        typer.echo(f"{folder} is what the models say")

    @schema.command(epilog="\b\nExamples:\n  fenghuo schema check\n  fenghuo schema check --against contract/ --json")
    def check(
        against: Annotated[
            Path | None, typer.Option("--against", help="Folder of an export. [default: the committed one, schemas/json]", exists=True, file_okay=False)
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """Check that the export equals the models, and that every event valid under any committed version is valid now. Exit 1 otherwise."""
        from schemas.export import COMMITTED, EXPORTED, breaks, history, stale

        folder = against or COMMITTED
        old, broken = stale(folder), breaks(folder)
        versions = sum(len(history(folder, name)) for name in EXPORTED)
        if as_json:
            found = [{"schema": each.schema, "version": each.version, "where": each.where, "what": each.what} for each in broken]
            typer.echo(json.dumps({"ok": not (old or broken), "versions": versions, "stale": old, "breaks": found}, indent=2, ensure_ascii=False))
        else:
            for name in old:
                typer.echo(f"stale  {folder / name}: not what the models say; fenghuo schema export writes it, then commit it")
            for each in broken:
                typer.echo(f"break  {each}")
            if broken:
                typer.echo("Old events could no longer be read. Take the change back, or add a new optional field or a new value beside the old one.")
            if not (old or broken):
                typer.echo(f"ok: {len(EXPORTED)} schemas, compatible with all {versions} committed versions")
        if old or broken:
            raise typer.Exit(1)
