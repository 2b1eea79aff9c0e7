"""``fenghuo demo``: everything in one command, on this machine."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo demo\n  fenghuo demo --customers 500 --seed 11 --exit-when-done\n  fenghuo demo --exit-when-done --json > summary.json"
    )
    def demo(
        customers: Annotated[int, typer.Option(help="Customers of the bank.")] = 1000,
        months: Annotated[int, typer.Option(help="Calendar months that it lives.")] = 6,
        seed: Annotated[int, typer.Option(help="The same seed gives the same bank.")] = 7,
        dirt: Annotated[float, typer.Option(help="Share of events beside which something goes wrong upstream.")] = 0.0005,
        workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 1,
        pack: Annotated[str | None, typer.Option(help="Policy pack: a shipped name or a folder. Default: the setting policy.pack.")] = None,
        zh: Annotated[bool, typer.Option("--zh", help="Reasons and actions in Chinese.")] = False,
        exit_when_done: Annotated[bool, typer.Option("--exit-when-done", help="End with the summary instead of staying up.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Print nothing but the summary, as one JSON object.")] = False,
    ) -> None:
        """Let a simulated bank live: broker, worker, sink and ClickHouse in one command; alerts as they come, a summary at the end."""
        from deploy.demo.scenario import Options, play
        from deploy.simulator import Parameters

        parameters = Parameters(seed=seed, customers=customers, months=months, dirt=dirt)
        play(Options(parameters, pack, "zh" if zh else "en", workers, exit_when_done, as_json))
