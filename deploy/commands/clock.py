"""``fenghuo clock``: the process that makes time an event."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""

    @app.command(epilog="\b\nExamples:\n  fenghuo clock\n  fenghuo clock --interval 60\n\nA second clock does no harm: both publish the same ticks.")
    def clock(
        interval: Annotated[float | None, typer.Option(min=0.1, help="Seconds between ticks. Default: the setting worker.tick_seconds.")] = None,
    ) -> None:
        """Publish one tick per partition per interval, so that silence, missing salaries and passed deadlines are noticed. SIGTERM ends it cleanly."""
        import signal

        from deploy.logs import configure_logs
        from deploy.probes import Probes
        from deploy.settings import load_settings
        from schemas.telemetry import Telemetry
        from streams.ticker import Ticker

        settings = load_settings()
        configure_logs(settings.log, settings)
        telemetry = Telemetry()
        ticker = Ticker(settings.kafka, telemetry, interval or settings.worker.tick_seconds)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ticker.stop())
        with Probes(settings.probes, "clock", ticker, telemetry):
            code = ticker.run()
        raise typer.Exit(code)
