"""``fenghuo sink``: fills ClickHouse from the topics that the workers write."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo sink\n  fenghuo sink --until-drained     load what is there, then leave\n"
        "  FENGHUO_CLICKHOUSE__URL=https://clickhouse:8443 FENGHUO_CLICKHOUSE__PASSWORD_FILE=/run/secrets/clickhouse fenghuo sink"
    )
    def sink(
        until_drained: Annotated[bool, typer.Option("--until-drained", help="Leave once everything published is in ClickHouse.")] = False,
    ) -> None:
        """Run one sink. Start more for more speed: partitions are shared among them.

        On SIGTERM it stores what it has in hand, commits and leaves: exit code 0. Exit 1: it left with rows in hand (nothing is
        lost, they are read again) or ClickHouse refuses every row; 3: Kafka is lost for good.
        """
        from deploy.sinking import run_sink

        run_sink(until_drained)
