"""Builds the package; with FENGHUO_COMPILE=1 the pure core in machine code too (docs/decisions/compiled-core.md)."""

import os
from pathlib import Path

from setuptools import setup

#: What an event goes through in a lane. The same files run uncompiled: a module belongs here if it is on that way and holds no pydantic or msgspec model.
CORE = [
    "alerting/absence.py",
    "alerting/condition.py",
    "alerting/facts.py",
    "alerting/rule.py",
    "schemas/codec.py",
    "schemas/journal_line.py",
    "schemas/localtime.py",
    "schemas/moment_text.py",
    "schemas/money.py",
    "schemas/quick_reader.py",
    "schemas/rejection.py",
    "streams/customer/customer.py",
    "streams/customer/facts.py",
    "streams/customer/in_hand.py",
    "streams/customer/snapshot.py",
    "streams/customer/state.py",
    "streams/customer/warnings.py",
    "streams/lane.py",
    "streams/merge.py",
    "streams/partition_record.py",
    "streams/timers.py",
    "streams/watermark.py",
    *sorted(str(path) for path in Path("streams/metrics").glob("[!_]*.py")),
]


def extensions() -> list:
    """The compiled core, if it is asked for."""
    if os.environ.get("FENGHUO_COMPILE") != "1":
        return []
    from mypyc.build import mypycify

    return mypycify(["--ignore-missing-imports", *CORE], opt_level="3", group_name="fenghuo_core")


if __name__ == "__main__":
    setup(ext_modules=extensions())
