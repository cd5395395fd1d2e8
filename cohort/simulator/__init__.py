"""A simulated cohort shaped like SLICE-3D whose probabilities of malignancy are known."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cohort.simulator.cohort import Simulated, simulate
    from cohort.simulator.folder import refuse_existing, write_folder
    from cohort.simulator.shifts import SHIFTS

__all__ = ["SHIFTS", "Simulated", "refuse_existing", "simulate", "write_folder"]

_HOMES = {
    "SHIFTS": "shifts",
    "Simulated": "cohort",
    "refuse_existing": "folder",
    "simulate": "cohort",
    "write_folder": "folder",
}


def __getattr__(name: str) -> object:
    """Import a name when it is first asked for: a worker that paints crops needs none, and starts a second earlier."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
