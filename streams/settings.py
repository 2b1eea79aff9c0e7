"""Settings of a worker: how much it takes in hand, how long it waits, how it leaves."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class WorkerSettings(BaseModel):
    """Section ``worker``. What keeps state safe (fencing, explicit commits, read_committed) is not a setting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    frame_events: int = Field(4_000, ge=1, description="most events settled by one frame, that is by one Kafka transaction")
    buffer_events: int = Field(40_000, ge=1, description="records of one topic partition in hand at which fetching it is paused; resumed at half")
    buffer_bytes: int = Field(64 << 20, ge=1, description="bytes of one topic partition in hand at which fetching it is paused; resumed at half")
    fetch_bytes: int = Field(4 << 20, ge=1, description="most bytes of one topic partition in one fetch (a larger record still comes)")
    fetch_wait_ms: int = Field(50, ge=1, description="how long the broker holds an empty fetch back, in milliseconds: bounds how late an end is known")
    commit_interval_seconds: float = Field(1.0, gt=0, description="seconds between commits of group offsets; they only say where to look first after a restart")
    session_timeout_seconds: float = Field(10.0, gt=0, description="seconds after which a silent worker loses its partitions")
    rebalance_timeout_seconds: float | None = Field(
        None, gt=0, description="seconds the group waits for a member to join again; when not set, 30, or 3 on a broker without transactions"
    )
    transaction_timeout_seconds: float = Field(
        60.0, gt=0, description="seconds a frame may take to be written, broker loss included; the worker stops when it takes longer"
    )
    dead_letters_in_a_row: int = Field(
        1_000,
        ge=1,
        description="dead letters of one partition without a good record between them after which the worker stops: something is wrong upstream or here",
    )
    dead_letters_ratio: float = Field(
        0.5,
        gt=0,
        le=1,
        description="share of dead letters among the latest records of one partition above which the worker stops; 1 never stops it",
    )
    dead_letters_ratio_records: int = Field(10_000, ge=1, description="how many of the latest records, since the worker took the partition, that share is of")
    drain_timeout_seconds: float = Field(25.0, gt=0, description="seconds to finish, commit and leave after SIGTERM; below the platform's grace period")
    instance_id: str | None = Field(None, description="group.instance.id: a fixed name a worker; a restart within the session timeout then moves no partition")
    tick_seconds: float = Field(5.0, ge=0.1, description="seconds between two ticks of the clock process, aligned to the wall clock")
