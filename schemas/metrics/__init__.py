"""The metric dictionary: one module a family. ``streams/metrics`` computes what is declared here; a test holds the two together."""

from schemas.metrics import activity, balances, complaints, contacts, flows, loans, salary, satisfaction
from schemas.metrics.metric import Metric, Subject, Unit

DICTIONARY: dict[str, Metric] = {
    metric.name: metric for module in (flows, balances, activity, salary, loans, complaints, satisfaction, contacts) for metric in module.METRICS
}
#: Every key under which a value can appear, with the metric it is a value of.
KEYS: dict[str, Metric] = {key: metric for metric in DICTIONARY.values() for key in metric.snapshot_keys()}

__all__ = ["DICTIONARY", "KEYS", "Metric", "Subject", "Unit"]
