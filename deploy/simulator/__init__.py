"""A seeded bank with planted, labelled stories: the same parameters give the same bytes."""

from deploy.simulator.bank import Simulation
from deploy.simulator.parameters import Parameters
from deploy.simulator.stories import STORIES, Label

__all__ = ["STORIES", "Label", "Parameters", "Simulation"]
