"""The one place that makes a ClickHouse client, with the settings that exactness rests on.

Defaults of these settings changed between server versions (asynchronous inserts, deduplication of inserts and of dependent
views), so each is pinned wherever the server knows it: any version acts alike.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ProgrammingError

from sinks.in_process import keep_freed_memory
from sinks.settings import ClickHouseSettings

#: Oldest server on which the tests' statements are known to exist.
OLDEST: Final = (25, 3)

#: Pinned for every session, where the server has the setting.
PINNED: Final[dict[str, str | int]] = {
    "async_insert": 0,  # the answer comes after the rows are stored
    "insert_deduplicate": 1,  # an insert with a token that was seen is dropped
    "deduplicate_insert": "enable",  # the same, as servers from 26.2 spell it
    "deduplicate_insert_select": "enable_when_possible",  # likewise where an insert selects: a token makes it possible
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    "max_insert_threads": 1,  # one insert is one block, so one token stands for all of it
    "input_format_parallel_parsing": 0,  # likewise
    "max_partitions_per_insert_block": 0,  # an import may span decades
    "input_format_skip_unknown_fields": 1,  # upstream systems evolve before we do; _raw keeps what has no column
    "input_format_null_as_default": 1,
    "input_format_defaults_for_omitted_fields": 1,
    "input_format_json_defaults_for_missing_elements_in_named_tuple": 1,
    "input_format_json_ignore_unknown_keys_in_named_tuple": 1,
    "input_format_json_named_tuples_as_objects": 1,
    "input_format_json_read_numbers_as_strings": 1,
    "date_time_input_format": "best_effort",  # reads RFC 3339 with its zone
    "session_timezone": "UTC",
}


class ServerUnfit(Exception):
    """The server answers and cannot be used: too old, or not what was expected. The message is one line for an operator."""


def connect(settings: ClickHouseSettings) -> Client:
    """A client with the pinned settings. It names no database: every statement of ours is qualified.

    One client serves one thread. Of an embedded directory there may be many clients, in one process only.
    Raises ServerUnfit for a server that is too old or a user that may only read, and clickhouse-connect's ClickHouseError when there is none.
    """
    client = _open(settings)
    try:
        _require_version(client.server_version)
        names = ", ".join(f"'{name}'" for name in PINNED)
        known = {str(name) for (name,) in client.query(f"SELECT name FROM system.settings WHERE name IN ({names})").result_rows}
        for name, value in PINNED.items():
            if name in known:
                client.set_client_setting(name, value)
    except ProgrammingError as refused:
        client.close()
        raise ServerUnfit(f"{refused}: a user that may only read cannot fill the tables; FENGHUO_CLICKHOUSE__USER names one that may insert") from refused
    except Exception:
        client.close()
        raise
    return client


def is_embedded(settings: ClickHouseSettings) -> bool:
    """Whether ClickHouse runs inside this process: no users, no other processes."""
    return settings.url.startswith("chdb:")


def address(settings: ClickHouseSettings) -> str:
    """The address for logs: never with a password."""
    url = urlsplit(settings.url)
    return settings.url if is_embedded(settings) else f"{url.scheme}://{url.hostname}:{url.port or _default_port(url.scheme)}"


def _open(settings: ClickHouseSettings) -> Client:
    if is_embedded(settings):
        keep_freed_memory()
        return clickhouse_connect.get_client(interface="chdb", path=settings.url.removeprefix("chdb://"))
    url = urlsplit(settings.url)
    return clickhouse_connect.get_client(
        interface=url.scheme,
        host=url.hostname,
        port=url.port or _default_port(url.scheme),
        username=unquote(url.username) if url.username else settings.user,
        password=unquote(url.password) if url.password else settings.password.get_secret_value(),
        connect_timeout=min(10, settings.timeout_seconds),
        send_receive_timeout=settings.timeout_seconds,
        autogenerate_session_id=False,
        client_name="fenghuo",
    )


def _default_port(scheme: str) -> int:
    return 8443 if scheme == "https" else 8123


def _require_version(version: str | None) -> None:
    year, month = (int(part) for part in (version or "0.0").split(".")[:2])
    if (year, month) < OLDEST:
        raise ServerUnfit(f"ClickHouse {version} is too old: {OLDEST[0]}.{OLDEST[1]} or newer is needed")
