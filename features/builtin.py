"""Cohort constants for a table that comes without a fitted state: those of the simulated cohort.

The simulated cohort is calibrated to the published statistics of SLICE-3D. `python -m features` regenerates them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from features.fitting import fit_state
from features.patients.state import FeatureState

BUILTIN = "builtin.json"
"""File of the constants, next to this module."""
_LESIONS = 100_000


@cache
def builtin_state() -> FeatureState:
    """The constants of the simulated cohort, without institutions and image scores."""
    return FeatureState.from_dict(json.loads(files("features").joinpath(BUILTIN).read_text("utf-8")))


def make_builtin(lesions: int = _LESIONS) -> str:
    """The constants fitted on a simulated cohort, as JSON, to 6 significant digits."""
    from cohort.simulator import simulate  # noqa: PLC0415 - needed only to make the constants

    state = fit_state(simulate(lesions, seed=2024).metadata.drop("attribution"))
    return json.dumps(json.loads(json.dumps(state.as_dict()), parse_float=lambda text: float(f"{float(text):.6g}")))
