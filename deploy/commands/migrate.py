"""``fenghuo migrate``: ClickHouse's tables, columns and views against what the program declares."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from sinks.migrate import Step

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    migrate = typer.Typer(no_args_is_help=True, help="Bring ClickHouse to the declared schema: numbered steps, columns of the metric dictionary, views.")
    app.add_typer(migrate, name="migrate")

    @migrate.command(epilog="\b\nExamples:\n  fenghuo migrate status\n  fenghuo migrate status --json")
    def status(as_json: _AsJson = False) -> None:
        """List every step and view with what became of it. Exit 1 if anything is pending."""
        from deploy.clickhouse import clickhouse
        from deploy.complaint_limits import clock_lines
        from deploy.replaying import load_policy
        from deploy.settings import load_settings
        from sinks.migrate import Migrator

        settings = load_settings().clickhouse
        clock = clock_lines(load_policy(None))
        with clickhouse(settings) as client:
            migrator = Migrator(client, settings, clock)
            found, pending = migrator.status(), migrator.pending()
        if as_json:
            steps = [{"name": one.name, "status": one.status, "checksum": one.checksum} for one in found]
            typer.echo(json.dumps({"database": settings.database, "steps": steps, "pending": len(pending)}, indent=2))
        else:
            for one in found:
                typer.echo(f"{one.status:<12} {one.name}")
            typer.echo(f"{len(pending)} pending" if pending else "up to date")
        if pending:
            raise typer.Exit(1)

    @migrate.command(epilog="\b\nExamples:\n  fenghuo migrate plan\n  fenghuo migrate plan --json")
    def plan(as_json: _AsJson = False) -> None:
        """Print the statements that up would run, in order. Exit 1 if there are any."""
        from deploy.clickhouse import clickhouse
        from deploy.complaint_limits import clock_lines
        from deploy.replaying import load_policy
        from deploy.settings import load_settings
        from sinks.migrate import Migrator

        settings = load_settings().clickhouse
        clock = clock_lines(load_policy(None))
        with clickhouse(settings) as client:
            pending = Migrator(client, settings, clock).pending()
        _show(settings.database, pending, as_json, done=False)
        if pending:
            raise typer.Exit(1)

    @migrate.command(epilog="\b\nExamples:\n  fenghuo migrate up --dry-run\n  fenghuo migrate up")
    def up(
        as_json: _AsJson = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; print what would run.")] = False,
        break_lock: Annotated[bool, typer.Option("--break-lock", help="Take over from a migration that died.")] = False,
    ) -> None:
        """Apply what is pending. Stopped halfway, it goes on where it was when run again."""
        from deploy.clickhouse import clickhouse
        from deploy.complaint_limits import clock_lines
        from deploy.replaying import load_policy
        from deploy.settings import load_settings
        from sinks.migrate import Migrator

        settings = load_settings().clickhouse
        clock = clock_lines(load_policy(None))
        with clickhouse(settings) as client:
            migrator = Migrator(client, settings, clock)
            steps = migrator.pending() if dry_run else list(migrator.up(break_lock))
        _show(settings.database, steps, as_json, done=not dry_run)


def _show(database: str, steps: list[Step], as_json: bool, done: bool) -> None:
    if as_json:
        listed = [{"name": step.name, "sql": step.sql.strip(), "skipped": step.skip or None} for step in steps]
        typer.echo(json.dumps({"database": database, "done": done, "steps": listed}, indent=2, ensure_ascii=False))
        return
    for step in steps:
        if step.skip:
            typer.echo(f"skip    {step.name}: {step.skip}")
        elif done:
            typer.echo(f"done    {step.name}")
        else:
            typer.echo(f"-- {step.name}\n{step.sql.strip()};\n")
    typer.echo(f"{database}: {len(steps)} steps {'done' if done else 'pending'}" if steps else f"{database}: up to date")
