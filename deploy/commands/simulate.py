"""``fenghuo simulate``: a seeded bank with planted, labelled stories."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

_EXAMPLES = """\b
Examples:
  fenghuo simulate --out bank.jsonl --labels stories.jsonl
  fenghuo simulate --events 10000000 --seed 11 --out big.jsonl
  fenghuo simulate --customers 500 --dirt 0.0005        straight to the broker"""


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog=_EXAMPLES)
    def simulate(
        seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
        customers: Annotated[int, typer.Option(help="Customers of the bank.")] = 2000,
        months: Annotated[int, typer.Option(help="Calendar months that it lives.")] = 6,
        events: Annotated[int | None, typer.Option(help="About this many events: sets the number of customers.")] = None,
        start: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="First day.")] = "2025-01-01",
        stories: Annotated[str, typer.Option(help="Stories to plant, separated by commas; all or none.")] = "all",
        dirt: Annotated[float, typer.Option(help="Share of events beside which something goes wrong upstream.")] = 0.0,
        out: Annotated[Path | None, typer.Option(help="File to write, - for standard output; without it, publish to the broker.")] = None,
        labels: Annotated[Path | None, typer.Option(help="File for the labels of the planted stories.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Summary as one JSON object.")] = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be simulated; write nothing.")] = False,
    ) -> None:
        """Simulate a bank: salaries, spending, loans, complaints, surveys, campaigns, and stories that should be noticed."""
        from deploy.errors import UserError
        from deploy.input_target import open_target, print_summary, write_labels
        from deploy.simulator import STORIES, Parameters, Simulation

        names = STORIES if stories == "all" else () if stories == "none" else tuple(name.strip() for name in stories.split(","))
        try:
            day = date.fromisoformat(start)
        except ValueError:
            raise UserError("--start is not a date", "write it as 2025-01-01") from None
        if events is not None:
            customers = Parameters.customers_for(events, months, day)
        simulation = Simulation(Parameters(seed=seed, customers=customers, months=months, start=day, stories=names, dirt=dirt))
        if not dry_run:
            with open_target(out, simulation.parameters.days, "days simulated", quiet=as_json) as target:
                for lines in simulation.days():
                    target.write(lines)
                    target.advance(1)
            if labels is not None:
                write_labels(labels, (label.as_dict() for label in simulation.labels))
        print_summary(simulation.summary() | {"to": str(out or "broker"), "dry_run": dry_run}, as_json, to_error=str(out) == "-")
