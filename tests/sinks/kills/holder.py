"""The process that holds ClickHouse, on a folder and port that outlive it: ``python holder.py FOLDER PORT PASSWORD``."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from deploy.embedded.clickhouse import EmbeddedClickHouse

if __name__ == "__main__":
    clickhouse = EmbeddedClickHouse(Path(sys.argv[1]), int(sys.argv[2]), fresh=False)
    clickhouse.writer_password = sys.argv[3]
    with clickhouse:
        time.sleep(3600)
