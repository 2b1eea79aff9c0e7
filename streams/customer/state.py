"""What is kept of one customer between events, and its compact form in the changelog.

The stored value is 8 bytes of the instant at which the customer must next be looked at, then MessagePack, as it is or compressed: a
partition can be recovered, and its timers set, without decoding a single customer.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import lz4.block
import msgspec

from alerting.episode import Episode, read_episodes
from schemas.localtime import DAY_MS, Day, Instant
from streams.metrics.activity import Activity
from streams.metrics.balances import Balances
from streams.metrics.complaints import Complaints
from streams.metrics.loans import Loans
from streams.metrics.salary import Salary
from streams.metrics.windows import History
from streams.metrics.windows import Stored as StoredHistory

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

#: "Nothing is due": later than any instant an event can have.
NEVER: Final[Instant] = (1 << 62) - 1
_WAKE_BYTES = 8
#: The form of the values written here. A change that earlier versions cannot read counts it up.
FORM: Final = 4
#: The forms that are read; a lane refuses to open on another. Form 3 has no values in lz4.
FORMS_READ: Final = (3, 4)

#: The parts of a state, in the order in which they are stored.
PARTS: Final = (
    "offsets",
    "as_of",
    "now",
    "revision",
    "snapshot_due",
    "idle_snapshots",
    "first_transaction_day",
    "seen",
    "evidence",
    "profile",
    "flows",
    "balances",
    "activity",
    "salary",
    "loans",
    "complaints",
    "satisfaction",
    "contacts",
    "episodes",
    "forgotten",
)


class Profile:
    """The profile facts that alerts show or rules read."""

    __slots__ = ("display_name", "nature", "outlet_id", "relationship_manager", "tier")

    def __init__(
        self,
        display_name: str | None = None,
        outlet_id: str | None = None,
        relationship_manager: str | None = None,
        nature: str | None = None,
        tier: str | None = None,
    ) -> None:
        self.display_name = display_name
        self.outlet_id = outlet_id
        self.relationship_manager = relationship_manager
        self.nature = nature
        self.tier = tier

    def packed(self) -> tuple[Any, ...]:
        """What is stored."""
        return self.display_name, self.outlet_id, self.relationship_manager, self.nature, self.tier


class CustomerState:
    """Everything the engine remembers of a customer.

    ``as_of`` is the newest trusted time at which the customer was looked at: windows end on its day. ``now`` is how far time
    was then known to have passed: absences are judged by it. ``idle_snapshots`` were written since its last event.
    ``offsets`` holds, per input kind, the last applied offset: an event at or before it was applied already. ``seen`` holds the
    local day of each recent event by a digest of its identity. ``evidence`` holds, per metric family, the journal positions of
    the latest events that touched it. ``forgotten`` counts the closed episodes that went with their loan or case.
    """

    __slots__ = ("_seen", "_stored_seen", *(part for part in PARTS if part != "seen"))

    def __init__(
        self,
        offsets: dict[str, int] | None = None,
        as_of: Instant = 0,
        now: Instant = 0,
        revision: int = 0,
        snapshot_due: Instant = NEVER,
        idle_snapshots: int = 0,
        first_transaction_day: int | None = None,
        seen: msgspec.Raw | None = None,
        evidence: dict[str, list[int]] | None = None,
        profile: Sequence[str | None] = (),
        flows: Sequence[Any] = (),
        balances: Sequence[Any] = (),
        activity: Sequence[Any] = (),
        salary: Sequence[Any] = (),
        loans: Sequence[Any] = (),
        complaints: Sequence[Any] = (),
        satisfaction: Sequence[Any] = (),
        contacts: Sequence[Any] = (),
        episodes: Sequence[Any] = (),
        forgotten: int = 0,
    ) -> None:
        self.offsets: dict[str, int] = {} if offsets is None else offsets
        self.as_of = as_of
        self.now = now
        self.revision = revision
        self.snapshot_due = snapshot_due
        self.idle_snapshots = idle_snapshots
        self.first_transaction_day = first_transaction_day
        self._stored_seen = seen
        self._seen: dict[int, Day] = {}
        self.evidence: dict[str, list[int]] = {} if evidence is None else evidence
        self.profile = Profile(*profile)
        self.flows = History(*flows)
        self.balances = Balances(*balances)
        self.activity = Activity(*activity)
        self.salary = Salary(*salary)
        self.loans = Loans(*loans)
        self.complaints = Complaints(*complaints)
        self.satisfaction = History(*satisfaction)
        self.contacts = History(*contacts)
        self.episodes: list[Episode] = read_episodes(episodes) if episodes else []
        self.forgotten = forgotten

    @property
    def seen(self) -> dict[int, Day]:
        """The local day of each recent event, by a digest of its identity."""
        if self._stored_seen is not None:
            self._seen = _decode_seen(self._stored_seen)
            self._stored_seen = None
        return self._seen

    def packed(self) -> tuple[Any, ...]:
        """What is stored, in the order of PARTS; nested parts likewise."""
        return (
            self.offsets,
            self.as_of,
            self.now,
            self.revision,
            self.snapshot_due,
            self.idle_snapshots,
            self.first_transaction_day,
            self._seen if self._stored_seen is None else self._stored_seen,
            self.evidence,
            self.profile.packed(),
            self.flows.packed(),
            self.balances.packed(),
            self.activity.packed(),
            self.salary.packed(),
            self.loans.packed(),
            self.complaints.packed(),
            self.satisfaction.packed(),
            self.contacts.packed(),
            self.episodes,
            self.forgotten,
        )


_encode = msgspec.msgpack.Encoder().encode
#: A state as it is stored. What most looks at a customer leave alone stays bytes (``Raw``): it is neither read nor written anew.
_Stored = tuple[
    dict[str, int],
    Instant,
    Instant,
    int,
    Instant,
    int,
    Day | None,
    msgspec.Raw,
    dict[str, list[int]],
    list[Any],
    StoredHistory,
    list[Any],
    list[Any],
    list[Any],
    list[Any],
    list[Any],
    StoredHistory,
    StoredHistory,
    list[Any],
    int,
]
_decode = msgspec.msgpack.Decoder(_Stored).decode
_decode_seen = msgspec.msgpack.Decoder(dict[int, Day]).decode

_compressor: Final = zstd.ZstdCompressor(level=1)
_ZSTD: Final = b"\x28\xb5\x2f\xfd"  # how a zstd frame begins, and no customer's MessagePack does
_LZ4: Final = b"\xc1"  # no MessagePack begins with it; then the size and an lz4 block
_SOON: Final = 2 * DAY_MS


def encode(state: CustomerState, wake: Instant, *, compressed: bool = False) -> bytes:
    """The changelog value of a customer that must next be looked at at ``wake`` (NEVER: not before its next event).

    Compressed it is a third smaller, for 30 us more to write and read; one that is soon looked at again, as after an event until its
    snapshot, a sixth smaller for 5 us.
    """
    packed = _encode(state.packed())
    if compressed and wake - state.as_of <= _SOON:
        packed = _LZ4 + lz4.block.compress(packed)
    elif compressed:
        packed = _compressor.compress(packed, _compressor.FLUSH_FRAME)
    return wake.to_bytes(_WAKE_BYTES, "big") + packed


def decode(value: bytes) -> CustomerState:
    """The state in a changelog value, compressed or not.

    Raises msgspec.DecodeError, zstd.ZstdError, lz4.block.LZ4BlockError or EOFError on bytes that are none.
    """
    packed: Any = memoryview(value)[_WAKE_BYTES:]
    if value.startswith(_LZ4, _WAKE_BYTES):
        packed = lz4.block.decompress(packed[1:])
    elif value.startswith(_ZSTD, _WAKE_BYTES):
        packed = zstd.ZstdDecompressor().decompress(packed)
    return CustomerState(*_decode(packed))


def wake_of(value: bytes) -> Instant:
    """The instant at which the customer in this changelog value must next be looked at."""
    return int.from_bytes(value[:_WAKE_BYTES], "big")
