"""``fenghuo config``: what the processes would run with, secrets redacted."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo config\n  FENGHUO_KAFKA__PARTITIONS=8 fenghuo config --json\n"
        "  FENGHUO_CLICKHOUSE__PASSWORD_FILE=/run/secrets/clickhouse fenghuo config"
    )
    def config(as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False) -> None:
        """Print the effective settings. What differs from the default is marked; secrets are redacted."""
        from deploy.settings import Settings, declared_settings, effective, load_settings

        now, defaults = effective(load_settings()), effective(Settings())
        if as_json:
            typer.echo(json.dumps(now, indent=2, ensure_ascii=False))
            return
        rows = [(declared.variable, declared.path) for declared in declared_settings()]
        width = max(len(variable) for variable, _ in rows)
        for variable, (section, name) in rows:
            value, changed = now[section][name], now[section][name] != defaults[section][name]
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            typer.echo(f"{'*' if changed else ' '} {variable:<{width}}  {shown}")
        typer.echo("* differs from the default")
