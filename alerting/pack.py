"""A policy pack: the rules, rates, limits and actions of one bank, read from a directory and validated as a whole.

A pack that extends another takes over its files: a data file of the same name replaces the other's, a rule of the same id
lays its own keys over it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from alerting.catalogue import ActionPlan, LargeValue
from alerting.compile import Workshop, compile_rule
from alerting.complaint_clock import ComplaintClock
from alerting.document import Document, read_document
from alerting.files import PackFile, RuleFile, shape
from alerting.policy_data import read_actions, read_complaint_clock, read_large_value, read_rates
from alerting.problems import PackError, Problem, Unreadable, suggestion
from alerting.quantity import DAY_MS, duration
from alerting.rates import Rates
from alerting.rule import Rule
from schemas.localtime import Calendar
from schemas.money import CURRENCY_EXPONENTS
from schemas.outputs.alert import Bilingual

SHIPPED: Final = Path(__file__).parent / "packs"
DATA_FILES: Final = ("rates.yaml", "complaint-clock.yaml", "large-value.yaml", "actions.yaml")


class Touched(NamedTuple):
    """Rules that can be raised by an event, and all that read anything it changes: an open warning can rise or clear by more than raises it."""

    raised: tuple[Rule, ...]
    raised_ids: frozenset[str]
    read: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything policy says. Durations in to_instant, lateness in days, money in minor units of ``currency``.

    ``version`` is declared by the pack's author and stands in every alert; ``fingerprint`` is a hash of all files read.
    """

    name: str
    version: str
    fingerprint: str
    timezone: ZoneInfo
    time: Calendar
    currency: str
    disorder_ms: int
    lateness_days: int
    snapshot_every_ms: int
    snapshot_within_ms: int
    far_future_ms: int
    rates: Rates
    large_value: LargeValue
    complaint_clock: ComplaintClock
    actions: dict[str, ActionPlan]
    offers_barred: Bilingual
    rules: tuple[Rule, ...]
    _touched: dict[frozenset[str], Touched] = field(default_factory=dict)

    def rules_touched(self, families: frozenset[str]) -> Touched:
        """What an event of these families touches; rules in the order of their ids."""
        try:
            return self._touched[families]
        except KeyError:
            raised = tuple(rule for rule in self.rules if rule.raised_by & families)
            read = tuple(rule for rule in self.rules if rule.families & families)
            return self._touched.setdefault(families, Touched(raised, frozenset(rule.id for rule in raised), read))

    def rule(self, rule_id: str) -> Rule | None:
        """The rule of that id."""
        return next((rule for rule in self.rules if rule.id == rule_id), None)


def shipped_packs() -> list[str]:
    """Names of the packs that come with Fenghuo."""
    return sorted(path.parent.name for path in SHIPPED.glob("*/pack.yaml"))


def pack_directory(name_or_dir: str) -> Path:
    """The directory of a shipped pack or of a path. Raises PackError."""
    if name_or_dir in shipped_packs():
        return SHIPPED / name_or_dir
    directory = Path(name_or_dir)
    if (directory / "pack.yaml").is_file():
        return directory
    remedy = f"name a shipped pack ({', '.join(shipped_packs())}) or a directory that holds pack.yaml"
    raise PackError([Problem(name_or_dir, 0, "there is no policy pack of this name", remedy)])


def load_pack(name_or_dir: str) -> Pack:
    """Read, validate and compile a pack. Raises PackError with every problem found."""
    problems: list[Problem] = []
    files = _Files(pack_directory(name_or_dir), problems)
    head = shape(PackFile, files.head, problems)
    if head is None:
        raise PackError(problems)
    zone = _zone(head, files.head, problems)
    currency = head.currency
    if currency not in CURRENCY_EXPONENTS:
        problems.append(files.head.problem(("currency",), f"{currency} is not an active ISO 4217 currency", "write a code such as `CNY`"))
        raise PackError(problems)
    spans = {key: _span(getattr(head, key), key, files.head, problems) for key in ("disorder", "lateness", "snapshot_every", "snapshot_within", "far_future")}
    if spans["lateness"] % DAY_MS:
        problems.append(files.head.problem(("lateness",), "lateness is not a whole number of days", "write `31 d`"))
    time = Calendar(zone)
    data = {name: files.data(name) for name in DATA_FILES}
    actions, barred = read_actions(data["actions.yaml"], problems)
    rates = read_rates(data["rates.yaml"], currency, problems)
    clock = read_complaint_clock(data["complaint-clock.yaml"], problems)
    large_value = read_large_value(data["large-value.yaml"], currency, problems)
    shop = Workshop(currency, time, actions, problems)
    rules = [compile_rule(page, document, shop) for page, document in _pages(files, head, problems)]
    if problems or clock is None or large_value is None or barred is None:
        raise PackError(problems)
    return Pack(
        name=head.name,
        version=head.version,
        fingerprint=files.digest.hexdigest(),
        timezone=zone,
        time=time,
        currency=currency,
        disorder_ms=spans["disorder"],
        lateness_days=spans["lateness"] // DAY_MS,
        snapshot_every_ms=spans["snapshot_every"],
        snapshot_within_ms=spans["snapshot_within"],
        far_future_ms=spans["far_future"],
        rates=rates,
        large_value=large_value,
        complaint_clock=clock,
        actions=actions,
        offers_barred=barred,
        rules=tuple(sorted((rule for rule in rules if rule), key=lambda rule: rule.id)),
    )


class _Files:
    """The files of a pack and of the one it extends, each read once."""

    def __init__(self, directory: Path, problems: list[Problem]) -> None:
        self.problems = problems
        self.digest = blake2b(digest_size=8)
        own = self._read(directory, "pack.yaml")
        self.layers = [directory]
        self.head = own
        base_name = own.data.get("extends")
        if base_name is None:
            return
        if base_name not in shipped_packs() and not (directory / str(base_name) / "pack.yaml").is_file():
            raise PackError([own.problem(("extends",), f"{base_name} is not a pack", suggestion(str(base_name), shipped_packs()))])
        base = pack_directory(str(base_name) if base_name in shipped_packs() else str(directory / str(base_name)))
        below = self._read(base, "pack.yaml")
        if "extends" in below.data:
            raise PackError([own.problem(("extends",), f"{base_name} itself extends a pack", "extend the pack at the bottom")])
        self.head = own.over(below)
        self.layers.append(base)

    def _read(self, directory: Path, name: str) -> Document:
        document = read_document(directory / name, f"{directory.name}/{name}")
        self.digest.update(name.encode() + b"\x00" + (directory / name).read_bytes())
        return document

    def data(self, name: str) -> Document | None:
        """A data file, from the topmost layer that has it."""
        for layer in self.layers:
            if (layer / name).is_file():
                try:
                    return self._read(layer, name)
                except PackError as error:
                    self.problems.extend(error.problems)
                    return None
        self.problems.append(Problem(f"{self.layers[0].name}/{name}", 0, "the pack has no such file", "add it, or extend a pack that has it"))
        return None

    def rules(self, layer: Path) -> list[Document]:
        """All rule files of a layer: every YAML file in a folder of the pack."""
        found = []
        for path in sorted(layer.glob("*/*.yaml")):
            try:
                found.append(self._read(layer, path.relative_to(layer).as_posix()))
            except PackError as error:
                self.problems.extend(error.problems)
        return found


def _pages(files: _Files, head: PackFile, problems: list[Problem]) -> list[tuple[RuleFile, Document]]:
    """The rule pages in force once layers are merged; duplicates and unknown names noted."""
    merged: dict[str, Document] = {}
    for depth, layer in enumerate(reversed(files.layers)):
        inherited = dict(merged)
        own: dict[str, Document] = {}
        for document in files.rules(layer):
            rule_id = str(document.data.get("rule", document.file))
            if rule_id in own:
                problems.append(document.problem(("rule",), f"{rule_id} is already the rule of {own[rule_id].file}", "give one of them another id"))
            own[rule_id] = document.over(inherited[rule_id]) if rule_id in inherited else document
        if depth and head.inherited_effective:
            for document in inherited.values():
                document.data["effective"] = head.inherited_effective.isoformat()
        merged = inherited | own
    for index, rule_id in enumerate(head.without):
        if merged.pop(rule_id, None) is None:
            problems.append(files.head.problem(("without", index), f"{rule_id} is not a rule of the pack", suggestion(rule_id, merged)))
    return [(page, document) for document in merged.values() if (page := shape(RuleFile, document, problems))]


def _zone(head: PackFile, document: Document, problems: list[Problem]) -> ZoneInfo:
    try:
        return ZoneInfo(head.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(document.problem(("timezone",), f"{head.timezone} is not a time zone", "write a name such as `Asia/Shanghai`"))
        return ZoneInfo("UTC")


def _span(text: str, key: str, document: Document, problems: list[Problem]) -> int:
    try:
        return duration(text)
    except Unreadable as error:
        problems.append(document.problem((key,), error.message, error.remedy))
        return 0
