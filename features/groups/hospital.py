"""The group `hospital`: which institution, and how a lesion compares with that institution's training lesions.

A lesion from an institution not in the training cohort (a fifth of the test patients) is compared with the cohort.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.single_lesion import column_spec
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.measures import MEASURED
from features.patients.state import FeatureState

ATTRIBUTION = "attribution"
"""Column with the institution."""
Sums = dict[str, NDArray[np.float64]]
"""Counts and sums by institution, (2, numbers, patients)."""
_LEAN = 100.0
_SUFFIX = "__hospital_z"


def _describe(columns: Collection[str]) -> list[FeatureSpec]:
    if ATTRIBUTION not in columns:
        return []
    return [column_spec(ATTRIBUTION, "hospital", "name"), *(_spec(number) for number in MEASURED if number in columns)]


def _spec(number: str) -> FeatureSpec:
    return FeatureSpec(
        f"{number}{_SUFFIX}",
        "hospital",
        "z",
        "numeric",
        f"({number} - mean of the institution) / cohort sd, the mean over its training lesions and 100 at the cohort's",
        "",
        "z within institution: ISIC 2024, tenth place",
        f"{number} is missing",
        (number, ATTRIBUTION),
    )


def _compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    names, place = block.names(ATTRIBUTION)
    for spec in wanted:
        number = spec.name.removesuffix(_SUFFIX)
        scale = state.scales.get(number)
        values = block.number(number)
        if scale is None or not scale.sd > 0:
            yield spec.name, values * 0.0
            continue
        means = np.array([state.hospitals.get(name, {}).get(number, scale.mean) for name in names])
        yield spec.name, (values - means[place]) / scale.sd


def hospital_sums(block: Block, numbers: Sequence[str]) -> Sums:
    """Counts and sums of each number for each institution's patients in the block, (2, numbers, patients)."""
    measured = [number for number in numbers if number in MEASURED]
    if ATTRIBUTION not in block.frame.columns or not measured:
        return {}
    names, place = block.names(ATTRIBUTION)
    scope = block.scope(ATTRIBUTION)
    owner = place[scope.first]
    stated = block.stated(ATTRIBUTION)[scope.first]
    values = [block.number(number) for number in measured]
    counts = [scope.total((~np.isnan(value)).astype(np.float64)) for value in values]
    sums = [scope.total(np.nan_to_num(value)) for value in values]
    table = np.stack([np.stack(counts), np.stack(sums)])
    mine = {name: stated & (owner == at) for at, name in enumerate(names)}
    return {name: table[:, :, patients] for name, patients in mine.items() if patients.any()}


def hospital_means(
    parts: Sequence[Sums], numbers: Sequence[str], means: Mapping[str, float]
) -> dict[str, dict[str, float]]:
    """Each institution's mean of each measured number, shrunk to the cohort's by 100 lesions.

    Args:
        parts: `hospital_sums` of all blocks.
        numbers: The numbers summed.
        means: The cohort's mean of each number that has any value.
    """
    measured = [number for number in numbers if number in MEASURED]
    known = [at for at, number in enumerate(measured) if number in means]
    names = [measured[at] for at in known]
    cohort = np.array([means[name] for name in names])
    result = {}
    for hospital in sorted({hospital for part in parts for hospital in part}):
        patients = np.concatenate([part[hospital] for part in parts if hospital in part], axis=2)
        count, total = patients.sum(axis=2)[:, known]
        result[hospital] = dict(zip(names, ((total + _LEAN * cohort) / (count + _LEAN)).tolist(), strict=True))
    return result


HOSPITAL = Group(
    "hospital",
    "The institution, and a lesion against that institution's lesions.",
    _describe,
    _compute,
    of_one_lesion=True,
)
