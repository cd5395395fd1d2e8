"""Part `beside` of the group `neighbours`: a lesion against the ten nearest to it on the body."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from features.arithmetic.segments import Floats
from features.groups.multivariate import Table, patient_slices
from features.groups.scopes import SCOPES, compare
from features.patients.block import Block
from features.patients.comparison import PRIOR
from features.patients.forms import z_score
from features.patients.measures import MEASURED
from features.patients.state import FeatureState

NEAREST = 10
"""Largest number of neighbours."""
NEAR = 50.0
"""What counts as near, in mm."""
POSITION = ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z")
"""Columns of the position on the body model."""
COMPARED_ON_BODY = tuple(name for name in MEASURED if name not in (*POSITION, "age_approx", "tbp_lv_symm_2axis_angle"))
"""Numbers that are compared with the neighbours on the body."""
_Ints = NDArray[np.intp]


def on_body(block: Block, state: FeatureState, numbers: Sequence[str]) -> Iterator[tuple[str, Floats]]:
    """How near the neighbours on the body are, and for each of `numbers` the deviation from their mean."""
    table, index = _nearest_on_body(block)
    yield from table.items()
    for number in numbers:
        yield f"{number}__neighbours_beside", _deviation(block, state, number, index)


def _nearest_on_body(block: Block) -> tuple[Table, _Ints]:
    """Distances (n,) to the neighbours, and which rows they are (n, 10), -1 for none."""
    place = np.stack([block.number(axis) for axis in POSITION], axis=1)
    known = np.asarray(~np.isnan(place).any(axis=1), dtype=np.bool_)
    index = np.full((block.size, NEAREST), -1, dtype=np.intp)
    closest, mean = np.full(block.size, np.nan), np.full(block.size, np.nan)
    near = np.where(known, 0.0, np.nan)
    for patient in patient_slices(block):
        rows = patient.start + np.flatnonzero(known[patient])
        if rows.size < 2:
            continue
        tree = cKDTree(place[rows])
        others, distance = _others(tree, place[rows])
        index[rows, : others.shape[1]] = rows[others]
        closest[rows], mean[rows] = distance[:, 0], distance.mean(axis=1)
        near[rows] = tree.query_ball_point(place[rows], NEAR, return_length=True) - 1.0
    table = {"neighbours_beside_nearest": closest, "neighbours_beside_mean": mean, "neighbours_within_50mm": near}
    return table, index


def _others(tree: cKDTree, place: Floats) -> tuple[_Ints, Floats]:
    """The nearest others (n, k) of each point in ascending distance, and the distances; k = min(n - 1, 10)."""
    size = len(place)
    k = min(size - 1, NEAREST)
    distance, found = tree.query(place, k=k + 1)
    # If lesions share a place, the point itself may not come first, or even be among the k + 1.
    itself = found == np.arange(size)[:, None]
    itself[~itself.any(axis=1), -1] = True
    return found[~itself].reshape(size, k), distance[~itself].reshape(size, k)


def _deviation(block: Block, state: FeatureState, number: str, index: _Ints) -> Floats:
    """(k own + 4 patient's z) / (k + 4), own the deviation from the k neighbours' mean in the patient's sd."""
    patient = compare(block, state, number, SCOPES[0])
    apart = np.where(index >= 0, patient.values[:, None] - patient.values[index], np.nan)
    known = ~np.isnan(apart)
    count = known.sum(axis=1).astype(np.float64)
    mean = np.where(known, apart, 0.0).sum(axis=1) / np.maximum(count, 1.0)
    sd = np.sqrt(block.patients.spread(patient.variance))
    own = np.divide(mean, sd, out=np.zeros_like(sd), where=sd > 0)
    result = (count * own + PRIOR * z_score(patient)) / (count + PRIOR)
    return np.asarray(result, dtype=np.float64)
