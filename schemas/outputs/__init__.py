"""The outputs: metric snapshots, alerts, dead letters and late events."""

from schemas.outputs.alert import GRADES, Alert, Grade
from schemas.outputs.dead_letter import SetAside
from schemas.outputs.snapshot import Snapshot

__all__ = ["GRADES", "Alert", "Grade", "SetAside", "Snapshot"]
