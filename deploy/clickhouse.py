"""A ClickHouse client for one command, with errors in a user's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from deploy.errors import DependencyLost, Failed, UserError
from sinks.connection import ServerUnfit, address, connect
from sinks.errors import Fate, fate_of, summary
from sinks.migrate import MigrationRefused
from sinks.settings import ClickHouseSettings


@contextmanager
def clickhouse(settings: ClickHouseSettings) -> Iterator[Client]:
    """A client, closed when the context is left. Raises UserError for a server that is away, too old or refuses us."""
    where = address(settings)
    try:
        client = connect(settings)
        try:
            yield client
        finally:
            client.close()
    except ServerUnfit as unfit:
        raise UserError(f"{unfit} (at {where})", "point FENGHUO_CLICKHOUSE__URL at another server") from unfit
    except MigrationRefused as refused:
        raise Failed(str(refused)) from refused
    except ClickHouseError as error:
        if fate_of(error) is Fate.RETRY:
            raise DependencyLost(
                f"ClickHouse at {where} does not answer: {summary(error)}", "is it running? FENGHUO_CLICKHOUSE__URL says where it is"
            ) from error
        raise Failed(f"ClickHouse at {where} refused: {summary(error)}", "check FENGHUO_CLICKHOUSE__USER, its password and its rights") from error
