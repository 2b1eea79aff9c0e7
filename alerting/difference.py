"""What changed between two packs: rules added, removed, changed line by line, and data that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from alerting.catalogue import ActionPlan
from alerting.complaint_clock import ClockVersion
from alerting.pack import Pack
from alerting.quantity import show_money
from alerting.rule import Rule
from alerting.wording import show_ratio
from schemas.localtime import to_date

#: What a pack says beside its rules: attribute of ``Pack`` and how it is called.
_FACTS: Final = ("name", "version", "currency", "disorder_ms", "lateness_days", "snapshot_every_ms", "snapshot_within_ms", "far_future_ms")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``rule`` is None for the pack itself; ``before`` or ``after`` is None where there is nothing."""

    rule: str | None
    path: str
    before: str | None
    after: str | None


def page(rule: Rule) -> dict[str, Any]:
    """The rule's page as it counts, layers merged and defaults left out."""
    return rule.source.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def differences(before: Pack, after: Pack) -> list[Change]:
    """Everything in which two packs differ, the pack first, then rule by rule."""
    changes = [Change(None, name, str(getattr(before, name)), str(getattr(after, name))) for name in _FACTS if getattr(before, name) != getattr(after, name)]
    changes += _compare(None, "", _data(before), _data(after))
    old, new = ({rule.id: rule for rule in pack.rules} for pack in (before, after))
    for rule_id in sorted(old.keys() | new.keys()):
        if rule_id not in new:
            changes.append(Change(rule_id, "rule", f"version {old[rule_id].version}", None))
        elif rule_id not in old:
            changes.append(Change(rule_id, "rule", None, f"version {new[rule_id].version}"))
        else:
            changes += _compare(rule_id, "", page(old[rule_id]), page(new[rule_id]))
    return changes


def _data(pack: Pack) -> dict[str, Any]:
    return {
        "timezone": str(pack.timezone),
        "large-value": {"cash_limit": show_money(pack.large_value.cash_limit, pack.currency), "near_share": show_ratio(float(pack.large_value.near_share))},
        "complaint-clock": {f"from {to_date(version.effective)}": _clock(version) for version in pack.complaint_clock.versions},
        "rates": {f"{rate.currency} from {to_date(rate.effective)}": str(rate.value) for rate in pack.rates.lines},
        "actions": {code: _action(plan) for code, plan in pack.actions.items()},
    }


def _clock(version: ClockVersion) -> dict[str, Any]:
    page = {name: getattr(version, name) for name in ("ordinary", "complex", "extension", "calendar", "count_from", "cite")}
    days = {name: [to_date(day).isoformat() for day in sorted(getattr(version, name))] for name in ("holidays", "workdays")}
    return page | days


def _action(plan: ActionPlan) -> dict[str, Any]:
    return {"do": plan.do.model_dump(), "do_not": plan.do_not.model_dump() if plan.do_not else None}


def _compare(rule: str | None, path: str, before: Any, after: Any) -> Iterator[Change]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            yield from _compare(rule, f"{path}.{key}" if path else str(key), before.get(key), after.get(key))
    elif isinstance(before, list) and isinstance(after, list) and before and after and isinstance((before + after)[0], dict):
        for index in range(max(len(before), len(after))):
            yield from _compare(rule, f"{path}[{index + 1}]", _at(before, index), _at(after, index))
    else:
        yield Change(rule, path, _shown(before), _shown(after))


def _at(items: list[Any], index: int) -> Any:
    return items[index] if index < len(items) else None


def _shown(value: Any) -> str | None:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(str(_shown(item)) for item in value) + "]"
    return None if value is None else str(value)
