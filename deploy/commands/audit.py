"""``fenghuo audit``: the four counters against broker offsets, the journal and ClickHouse."""

from __future__ import annotations

import json
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="\b\nExamples:\n  fenghuo audit\n  fenghuo audit --json | jq .different\n  fenghuo audit --live     while events flow")
    def audit(
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
        live: Annotated[bool, typer.Option("--live", help="Work that waits (unread records, a sink behind) is no difference.")] = False,
        show_all: Annotated[bool, typer.Option("--all", help="Print the lines that agree, too.")] = False,
    ) -> None:
        """Prove that nothing was lost and nothing counted twice, from the input offsets to the rows in ClickHouse.

        Reads every output topic of the namespace from its beginning. Exit 1 on any difference.
        """
        from alerting.pack import load_pack
        from deploy.audit.auditing import audit as compare
        from deploy.clickhouse import clickhouse
        from deploy.errors import Failed
        from deploy.settings import load_settings

        settings = load_settings()
        with clickhouse(settings.clickhouse) as client:
            report = compare(settings, load_pack(settings.policy.pack), client)
        if as_json:
            typer.echo(json.dumps(report.as_json(), indent=2))
        else:
            for line in report.lines:
                if show_all or line.verdict != "ok":
                    typer.echo(f"{line.verdict:<10}{line.what:<24}{line.where:<40}expected {line.expected:>12,}   found {line.found:>12,}")
        if not report.clean(live):
            raise Failed(report.sentence(), "fenghuo audit --all prints every comparison")
        if not as_json:
            typer.echo(report.sentence())
