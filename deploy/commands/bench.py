"""``fenghuo bench``: how fast the core and the worker are here, how large the state is, and how other engines do beside them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Part(StrEnum):
    """What can be measured."""

    core = "core"
    state = "state"
    worker = "worker"
    latency = "latency"
    peers = "peers"


class On(StrEnum):
    """Brokers for the worker."""

    embedded = "embedded"
    kafka = "kafka"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo bench                        core, state and worker\n  fenghuo bench core --events 200000 --rounds 5\n"
        "  fenghuo bench worker --broker embedded   without Java\n  fenghuo bench latency                event to alert at three loads; needs Java and Maven\n"
        "  fenghuo bench peers --json > peers.json  a quarter of an hour; needs Java and Maven"
    )
    def bench(
        parts: Annotated[list[Part] | None, typer.Argument(help="What to measure. Default: core state worker.")] = None,
        events: Annotated[int | None, typer.Option(min=500, help="Events per round. Default: 200,000; state 50,000; latency 60,000; peers 2,000,000.")] = None,
        rounds: Annotated[int, typer.Option(min=1, max=99, help="Rounds; medians and ranges are over these.")] = 3,
        broker: Annotated[list[On] | None, typer.Option(help="Brokers for the worker. Default: both, kafka where Java and Maven are there.")] = None,
        peers: Annotated[bool, typer.Option("--peers", help="The same as the part peers.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Figures as one JSON object.")] = False,
    ) -> None:
        """Measure on input of its own: core, state, worker, latency; side by side with other engines on request. Best on a machine with nothing else to do."""
        from deploy.benchmarking.running import run

        chosen = [part.value for part in parts or ()] + (["peers"] if peers else [])
        run(chosen or ["core", "state", "worker"], events, rounds, [one.value for one in broker] if broker else None, as_json=as_json)
