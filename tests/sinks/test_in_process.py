"""ClickHouse's allocator looks for how to keep memory when the library is loaded: whoever opens a folder has said it by then."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

PROGRAM = """
import os, sys, tempfile
class Loading:
    def find_spec(self, name, path=None, target=None):
        if name == "chdb":
            print(os.environ.get("JE_MALLOC_CONF"))
sys.meta_path.insert(0, Loading())
with tempfile.TemporaryDirectory() as folder:
    {opened}
"""
OPENED = {
    "sink": """
    from sinks.connection import connect
    from sinks.settings import ClickHouseSettings
    connect(ClickHouseSettings(url=f"chdb://{folder}")).close()
""",
    "front": """
    from pathlib import Path
    from deploy.embedded.clickhouse import EmbeddedClickHouse
    with EmbeddedClickHouse(Path(folder)):
        pass
""",
}


@pytest.mark.embedded
@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize(("given", "expected"), [({}, "dirty_decay_ms:30000"), ({"JE_MALLOC_CONF": "dirty_decay_ms:1"}, "dirty_decay_ms:1")])
def test_its_allocator_is_told_before_it_is_loaded_unless_somebody_else_did(opened: str, given: dict[str, str], expected: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "JE_MALLOC_CONF"} | given
    program = PROGRAM.format(opened=OPENED[opened].strip())
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, expected), done.stderr
