"""Where the repository is: benchmarks build their peers in it, tests keep Kafka's jars there."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_HERE: Final = Path(__file__).resolve().parents[1]
#: The clone that this module stands in; for an installed or compiled copy of it the directory it is started in.
REPOSITORY: Final = _HERE if (_HERE / "benchmarks").is_dir() else Path.cwd()
