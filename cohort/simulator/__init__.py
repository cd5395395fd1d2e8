"""A simulated cohort shaped like SLICE-3D whose probabilities of malignancy are known."""

from cohort.simulator.cohort import Simulated, simulate
from cohort.simulator.folder import refuse_existing, write_folder
from cohort.simulator.shifts import SHIFTS

__all__ = ["SHIFTS", "Simulated", "refuse_existing", "simulate", "write_folder"]
