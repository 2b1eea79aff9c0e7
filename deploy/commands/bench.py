"""``fenghuo bench``: how fast the core, the worker and the sink are here, how large the state is, how other engines do beside them, how long queries take."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Part(StrEnum):
    """What can be measured."""

    core = "core"
    state = "state"
    worker = "worker"
    sink = "sink"
    freshness = "freshness"
    latency = "latency"
    peers = "peers"
    customers = "customers"
    queries = "queries"


class On(StrEnum):
    """Brokers for the worker."""

    embedded = "embedded"
    kafka = "kafka"


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(
        epilog="\b\nExamples:\n  fenghuo bench                        core, state and worker\n  fenghuo bench core --events 200000 --rounds 5\n"
        "  fenghuo bench worker --broker embedded   without Java\n  fenghuo bench worker --broker kafka --workers 2   two that share the input\n"
        "  fenghuo bench sink                   into ClickHouse, beside large inserts and one a poll\n"
        "  fenghuo bench freshness              ClickHouse at 20,000 events/s, away, and back; needs Java and Maven\n"
        "  fenghuo bench freshness --events 1800000 --away-minutes 60   an hour without ClickHouse\n"
        "  fenghuo bench latency                from an event to its alert at three loads; needs Java and Maven\n"
        "  fenghuo bench peers --json > peers.json  a quarter of an hour; needs Java and Maven\n"
        "  fenghuo bench peers --customers 1000000  the same with a customer in most events who was not seen before\n"
        "  fenghuo bench customers --events 100000  what 1,000, 10,000 and 100,000 customers cost a worker\n"
        "  fenghuo bench queries                what dashboards ask, on ten million events in ClickHouse (5 minutes)"
    )
    def bench(
        parts: Annotated[list[Part] | None, typer.Argument(help="What to measure. Default: core state worker.")] = None,
        events: Annotated[
            int | None,
            typer.Option(
                min=500,
                help="Events per round (200,000; state 50,000; sink 500,000; freshness 1,200,000; latency 60,000; peers 2,000,000; queries 10,000,000)"
                " or customers (1,000,000).",
            ),
        ] = None,
        rounds: Annotated[int, typer.Option(min=1, max=99, help="Rounds; medians and ranges are over these.")] = 3,
        broker: Annotated[list[On] | None, typer.Option(help="Brokers for the worker. Default: both, kafka where Java and Maven are there.")] = None,
        workers: Annotated[int, typer.Option(min=1, max=4, help="Workers that share the worker's input.")] = 1,
        customers: Annotated[int, typer.Option(min=100, help="Customers whom the peers' transactions are drawn from.")] = 10_000,
        away_minutes: Annotated[
            float,
            typer.Option(
                min=0,
                max=1440,
                help="freshness: how long ClickHouse is away; the events come evenly over that time, and the sink's memory is shown. 0: as fast as they go in.",
            ),
        ] = 0,
        peers: Annotated[bool, typer.Option("--peers", help="The same as the part peers.")] = False,
        as_json: Annotated[bool, typer.Option("--json", help="Figures as one JSON object.")] = False,
    ) -> None:
        """Measure on input of its own: core, state, worker; on request the sink, dashboards' queries, many customers, other engines side by side.

        Best on a machine with nothing else to do.
        """
        from deploy.benchmarking.running import Asked, run

        chosen = [part.value for part in parts or ()] + (["peers"] if peers else [])
        brokers = [one.value for one in broker] if broker else None
        run(Asked(chosen or ["core", "state", "worker"], events, rounds, brokers, workers, customers, away_minutes), as_json=as_json)
