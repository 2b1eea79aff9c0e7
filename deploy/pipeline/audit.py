"""The audit of what a run or a demo did, as ``fenghuo audit`` sees it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

from deploy.errors import Failed
from deploy.pipeline.children import PROGRAM
from deploy.pipeline.servers import Servers


@dataclass(frozen=True)
class Audit:
    """``text`` says in one line what was found; ``report`` is the command's own."""

    clean: bool
    text: str
    report: Any


def audit(servers: Servers) -> Audit:
    """Run ``fenghuo audit`` on these servers. Raises Failed when it cannot come to an answer."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, "audit", "--json"], env=dict(servers.environ), capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise Failed(f"the audit did not come to an answer (exit code {done.returncode})", done.stderr.strip()) from None
    return Audit(done.returncode == 0, "clean" if done.returncode == 0 else done.stderr.strip() or "differences", report)
