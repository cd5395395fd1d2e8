"""The feature stage of a run: fit the cohort constants, write the feature table and its dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from engine.files import write_json
from features.building import Plan
from features.fitting import fit_state
from features.parquet import write_features
from features.patients.state import FeatureState
from features.registry import DEFAULT_GROUPS


def run_stage(
    frame: pl.DataFrame,
    groups: Sequence[str] = DEFAULT_GROUPS,
    *,
    out: Path,
    dictionary: Path,
    state: FeatureState | None = None,
    images: pl.DataFrame | None = None,
) -> Plan:
    """Write the feature table of a cohort that is in memory, without ever holding the whole table.

    Args:
        frame: Canonical frame.
        groups: Switches.
        out: features.parquet, rows by patient and `isic_id`.
        dictionary: features.json: the groups, the features and the cohort constants.
        state: Cohort constants; fitted on `frame` where there are none.
        images: Image scores.

    Returns:
        What was built, with which constants.

    Raises:
        InputError: As in `features.build`.
    """
    state = state or fit_state(frame, images=images)
    plan = write_features([frame], out, groups, state=state, images=images)
    write_json(as_stored(plan, groups), dictionary)
    return plan


def as_stored(plan: Plan, groups: Sequence[str]) -> dict[str, Any]:
    """What features.json holds: `groups`, `features` (the dictionary) and `state`."""
    listed = [spec.as_dict() for spec in plan.specs]
    return {"groups": list(groups), "features": listed, "state": plan.state.as_dict()}
