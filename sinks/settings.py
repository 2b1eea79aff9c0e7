"""The ``clickhouse`` and ``sink`` sections: where ClickHouse is, and how the sink fills it."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_URL = r"^(chdb:///.+|https?://.+)$"


class ClickHouseSettings(BaseModel):
    """The server, or a directory in which ClickHouse runs inside this process.

    What keeps the tables exact (deduplication, synchronous inserts) is pinned in ``sinks.connection`` and not for the environment.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: Annotated[str, Field(pattern=_URL)] = Field(
        "http://127.0.0.1:8123", description="http(s)://[user@]host:port of a server, or chdb:///directory for ClickHouse inside the process"
    )
    user: str = Field("default", min_length=1, description="user, where the address names none")
    password: SecretStr = Field(SecretStr(""), description="the user's password")
    database: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")] = Field("fenghuo", description="database that holds the tables and views")
    business_timezone: str = Field("Asia/Shanghai", description="zone whose midnight starts a business day: that of the policy pack; fixed once migrated")
    timeout_seconds: float = Field(60.0, gt=0, le=3600, description="longest wait for an answer")

    @field_validator("business_timezone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError("no time zone of that name; write one such as Asia/Shanghai") from None
        return name


class SinkSettings(BaseModel):
    """How much the sink gathers before it inserts, and how long it waits for a server that is away."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    group: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,100}$")] = Field("clickhouse", description="consumer group, after the namespace and a hyphen")
    batch_rows: int = Field(160_000, ge=1, le=200_000, description="insert a partition's batch at this many rows")
    batch_bytes: int = Field(64 * 2**20, ge=2**20, le=2**30, description="or at this many bytes")
    batch_seconds: float = Field(1.0, gt=0, le=600, description="or at this age, so that a quiet partition is fresh too")
    backlog_rows: int = Field(400_000, ge=1, le=10_000_000, description="rows in hand over all partitions at which reading pauses")
    retry_seconds: float = Field(30.0, gt=0, le=600, description="longest pause between two tries while ClickHouse is away; the first is 0.1 s")
    session_timeout_seconds: float = Field(
        10.0, ge=1, le=300, description="seconds after which a silent sink loses its partitions; brokers take no less than 6 unless told so"
    )
    drain_seconds: float = Field(20.0, gt=0, le=600, description="how long a stopping sink tries to store what it has in hand")
    refused_rows: int = Field(
        100, ge=0, le=1_000_000, description="rows of a batch that ClickHouse may refuse; with more the sink stops: the schema is at fault"
    )
