"""``fenghuo worker``: one worker of the customer processor."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo worker\n  FENGHUO_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 FENGHUO_WORKER__INSTANCE_ID=worker-0 fenghuo worker\n\n"
        "Exit codes: 0 finished and left, 1 not within worker.drain_timeout_seconds, 2 configuration, 3 Kafka lost or another worker took over."
    )
    def worker(
        pack: Annotated[str | None, typer.Option(help="Policy pack: a shipped name or a folder. Default: the setting policy.pack.")] = None,
        until_drained: Annotated[bool, typer.Option("--until-drained", help="Leave when everything that is in the input topics has been applied.")] = False,
    ) -> None:
        """Keep customers' metrics and raise warnings, for a share of the partitions. Start as many as there are cores; SIGTERM ends one cleanly."""
        from deploy.processes import end_process
        from deploy.working import run_worker

        end_process(run_worker(pack, until_drained))
