"""The embedded stack until Ctrl-C: what stands behind ``fenghuo up``."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path

from alerting.pack import Pack, load_pack
from deploy.complaint_limits import clock_lines
from deploy.embedded.broker import EmbeddedBroker
from deploy.embedded.clickhouse import READER, WRITER, EmbeddedClickHouse
from deploy.errors import DependencyLost
from deploy.logs import configure_logs
from deploy.pipeline.interrupts import interruptible
from deploy.settings import load_settings
from deploy.topic_plan import Topics
from sinks.connection import connect
from sinks.migrate import Migrator

POLL_SECONDS = 0.5


def stay_up() -> None:
    """Run until Ctrl-C or SIGTERM. Raises UserError for a port or folder that cannot be used, DependencyLost if the broker dies."""
    settings = load_settings()
    configure_logs(settings.log, settings)
    pack = load_pack(settings.policy.pack)
    with suppress(KeyboardInterrupt), interruptible(), ExitStack() as running:
        broker = running.enter_context(EmbeddedBroker(settings.embedded.data_dir, settings.embedded.broker_port))
        clickhouse = running.enter_context(EmbeddedClickHouse(settings.embedded.data_dir, settings.embedded.clickhouse_port))
        password_file = _write_password(settings.embedded.data_dir, clickhouse.writer_password)
        environment = {
            "FENGHUO_KAFKA__BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "FENGHUO_CLICKHOUSE__URL": clickhouse.http_url,
            "FENGHUO_CLICKHOUSE__USER": WRITER,
            "FENGHUO_CLICKHOUSE__PASSWORD_FILE": str(password_file),
            "FENGHUO_CLICKHOUSE__BUSINESS_TIMEZONE": str(pack.timezone),
        }
        topics, steps = _fill(environment, pack)
        print(f"✓ broker      {broker.bootstrap_servers}   {topics} topics")
        print(f"✓ ClickHouse  {clickhouse.http_url}   {steps} migrations; read as {READER}, without a password")
        print("\nFor other terminals:")
        for name, value in environment.items():
            print(f"  export {name}={shlex.quote(value)}")
        print("\nCtrl-C ends both.", flush=True)
        while broker.alive():
            time.sleep(POLL_SECONDS)
        raise DependencyLost("the embedded broker has ended by itself", f"its log is {broker.log_file}")


def _fill(environment: Mapping[str, str], pack: Pack) -> tuple[int, int]:
    """Create topics and tables as the other processes will look for them; how many of each."""
    environ = dict(os.environ)
    for name, value in environment.items():
        setting = name.removesuffix("_FILE")
        environ.pop(setting, None)
        environ.pop(f"{setting}_FILE", None)
        environ[name] = value
    settings = load_settings(environ)
    topics = Topics(settings.kafka)
    topics.apply(topics.plan())
    client = connect(settings.clickhouse)
    try:
        steps = sum(1 for _ in Migrator(client, settings.clickhouse, clock_lines(pack)).up())
    finally:
        client.close()
    return len(settings.kafka.registry().topics), steps


def _write_password(data_dir: Path, password: str) -> Path:
    """The password of this run's writer, for the owner of the process only."""
    path = data_dir.resolve() / "writer-password"
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(password)
    return path
