"""How this process' ClickHouse is told to keep its memory: before it is loaded, and by whom it is asked."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys, tempfile
from sinks.connection import connect
from sinks.settings import ClickHouseSettings
assert "chdb" not in sys.modules
with tempfile.TemporaryDirectory() as folder:
    connect(ClickHouseSettings(url=f"chdb://{folder}")).close()
print(os.environ["JE_MALLOC_CONF"])
"""


@pytest.mark.embedded
@pytest.mark.parametrize(("given", "expected"), [({}, "dirty_decay_ms:30000"), ({"JE_MALLOC_CONF": "dirty_decay_ms:1"}, "dirty_decay_ms:1")])
def test_its_allocator_is_told_before_it_is_loaded_unless_somebody_else_did(given: dict[str, str], expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "JE_MALLOC_CONF"} | given
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, expected), done.stderr
