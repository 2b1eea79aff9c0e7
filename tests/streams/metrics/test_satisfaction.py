"""CSAT on any scale is exact; NPS counts promoters and detractors."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.events import Interaction
from streams.metrics.satisfaction import Satisfaction
from streams.metrics.windows import History


def _answer(instrument: str, score: int, low: int, high: int, dimension: str | None = None) -> Interaction:
    fields = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-01-01T00:00:00Z", "source": "t", "kind": "survey_answer"}
    answer = {"instrument": instrument, "score": score, "scale_min": low, "scale_max": high}
    return Interaction.model_validate(fields | answer | ({"dimension": dimension} if dimension else {}), strict=False)


def _csat(*answers: tuple[int, int, int]) -> float | None:
    satisfaction = Satisfaction(History(), 100)
    for score, low, high in answers:
        satisfaction.answered(_answer("csat", score, low, high), 100)
    return satisfaction.csat(90)[1]


def test_thirds_add_up() -> None:
    assert _csat((2, 1, 4), (2, 1, 4), (2, 1, 4)) == 2.333333
    assert _csat((2, 1, 4), (3, 1, 4)) == 3.0


_ON_A_SCALE = st.sampled_from(((1, 5), (1, 7), (0, 10), (1, 4))).flatmap(lambda scale: st.tuples(st.integers(*scale), st.just(scale[0]), st.just(scale[1])))


@settings(max_examples=100, deadline=None)
@given(st.lists(_ON_A_SCALE, min_size=1, max_size=20))
def test_mean_is_that_of_the_exact_scores(answers: list[tuple[int, int, int]]) -> None:
    exact = sum(1 + Fraction(4 * (score - low), high - low) for score, low, high in answers) / len(answers)
    assert _csat(*answers) == pytest.approx(float(exact), abs=0.51e-6)


def test_dimensions_and_windows() -> None:
    satisfaction = Satisfaction(History(), 100)
    satisfaction.answered(_answer("csat", 5, 1, 5, "price"), 5)
    satisfaction.answered(_answer("csat", 1, 1, 5), 100)
    assert satisfaction.csat_by_dimension(365) == {"overall": 1.0, "price": 5.0}
    assert satisfaction.csat(90) == (1, 1.0)
    assert satisfaction.csat(365) == (2, 3.0)


def test_nps() -> None:
    satisfaction = Satisfaction(History(), 100)
    assert satisfaction.nps(90) == (0, None)
    for score in (10, 9, 8, 6):
        satisfaction.answered(_answer("nps", score, 0, 10), 100)
    assert satisfaction.nps(90) == (4, 25.0)


def test_the_snapshot_shows_what_a_rule_reads() -> None:
    satisfaction = Satisfaction(History(), 1)
    for day, answer in (
        (20, ("csat", 2, 1, 5, "price")),
        (200, ("nps", 7, 0, 10)),
        (390, ("csat", 5, 1, 5)),
        (395, ("nps", 0, 0, 10)),
        (396, ("nps", 10, 0, 10)),
    ):
        satisfaction.windows.advance(day)
        satisfaction.answered(_answer(*answer), day)
    metrics: dict[str, Any] = {}
    satisfaction.fill(metrics)
    assert metrics["satisfaction.nps.90d"] == 0.0, "a finding, not an absence"
    for days in (90, 365):
        n, mean = satisfaction.csat(days)
        assert (metrics[f"satisfaction.csat.n.{days}d"], metrics[f"satisfaction.csat.mean.{days}d"]) == (n, mean)
        assert (metrics[f"satisfaction.nps.n.{days}d"], metrics[f"satisfaction.nps.{days}d"]) == satisfaction.nps(days)
    assert metrics["satisfaction.csat.dimension.365d"] == satisfaction.csat_by_dimension(365)


def test_without_answers_in_a_window_nothing_of_it_is_shown() -> None:
    satisfaction = Satisfaction(History(), 100)
    satisfaction.answered(_answer("csat", 5, 1, 5), 100)
    satisfaction.windows.advance(200)
    metrics: dict[str, Any] = {}
    satisfaction.fill(metrics)
    assert set(metrics) == {"satisfaction.csat.n.365d", "satisfaction.csat.mean.365d", "satisfaction.csat.dimension.365d"}
