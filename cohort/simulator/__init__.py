"""A simulated cohort shaped like SLICE-3D whose true probabilities are known."""

from cohort.simulator.cohort import Simulated, simulate
from cohort.simulator.folder import write_folder

__all__ = ["Simulated", "simulate", "write_folder"]
