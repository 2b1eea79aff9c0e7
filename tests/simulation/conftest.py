"""``pytest tests/simulation --seed N`` repeats one schedule."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seed", type=int, default=None, help="run this one schedule of the simulation")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int | None:
    """The one seed to run, if one was given."""
    return request.config.getoption("--seed", default=None)
