"""Parts `patient` and `lesion` of the group `context`: how unusual the patient is, and the lesion over all numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from features.arithmetic.order import block_order, mid_rank_share, order_within
from features.arithmetic.segments import Floats
from features.groups.feature import Feature
from features.groups.scopes import SCOPES, Scope, compare
from features.patients.block import Block
from features.patients.forms import z_score
from features.patients.measures import MEASURED
from features.patients.state import FeatureState

_POSITION = ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z", "tbp_lv_symm_2axis_angle")
APPEARANCE = tuple(name for name in MEASURED if name.startswith(("tbp_lv_", "clin_")) and name not in _POSITION)
"""What a lesion looks like: the measured numbers without age, position and angle."""
_PATIENT, _LOCATION = (next(scope for scope in SCOPES if scope.name == name) for name in ("patient", "location"))


def patient_level(block: Block, state: FeatureState, number: str) -> Floats:
    """Shrunk deviation (g,) of the patient's mean from the cohort's, in cohort standard deviations."""
    scale = state.scales.get(number)
    found = compare(block, state, number, _PATIENT).moments
    if scale is None or not scale.sd > 0:
        return np.where(found.count > 0, 0.0, np.nan)
    signal, noise = found.count * scale.between**2, scale.within**2
    weight = signal / (signal + noise) if noise > 0 else np.ones_like(signal)
    return weight * (found.mean - scale.mean) / scale.sd


def patient_spread(block: Block, state: FeatureState, number: str) -> Floats:
    """Natural logarithm (g,) of the patient's shrunk standard deviation over the cohort's within patients."""
    within = state.prior(number).within
    variance = compare(block, state, number, _PATIENT).variance
    if not within > 0:
        return np.zeros_like(variance)
    return np.log(variance / within**2) / 2


def _root_mean(parts: Iterator[Floats], size: int) -> Floats:
    """Root of the mean square over `parts`, missing ones left out; 0 if none is known."""
    total, count = np.zeros(size), np.zeros(size)
    for part in parts:
        known = ~np.isnan(part)
        total[known] += part[known] ** 2
        count += known
    return np.sqrt(total / np.maximum(count, 1.0))


def _unusual(block: Block, state: FeatureState) -> Floats:
    levels = (patient_level(block, state, number) for number in APPEARANCE)
    return block.patients.spread(_root_mean(levels, block.patients.sizes.size))


def _scores(block: Block, state: FeatureState, scope: Scope) -> Iterator[Floats]:
    for number in APPEARANCE:
        yield z_score(compare(block, state, number, scope))


def _typical_z(block: Block, state: FeatureState, *, scope: Scope) -> Floats:
    return _root_mean(_scores(block, state, scope), block.size)


def _largest_z(block: Block, state: FeatureState, *, scope: Scope) -> Floats:
    largest = np.zeros(block.size)
    for score in _scores(block, state, scope):
        np.fmax(largest, np.abs(score), out=largest)
    return largest


def _outlying(block: Block, state: FeatureState, *, scope: Scope) -> Floats:
    count = np.zeros(block.size)
    for score in _scores(block, state, scope):
        count += np.abs(score) > 2
    return count


def _ugliness_rank(block: Block, state: FeatureState) -> Floats:
    typical = _typical_z(block, state, scope=_PATIENT)
    order = order_within(block.patients, typical, block_order(typical), block.patients.counts)
    return mid_rank_share(order)


def _level(block: Block, state: FeatureState, *, number: str) -> Floats:
    return block.patients.spread(patient_level(block, state, number))


def _spread(block: Block, state: FeatureState, *, number: str) -> Floats:
    return block.patients.spread(patient_spread(block, state, number))


def _patient_features() -> Iterator[Feature]:
    for number in APPEARANCE:
        yield Feature(
            f"{number}__context_level",
            "patient",
            f"n b² / (n b² + w²) × (mean of {number} over the patient - cohort mean) / cohort sd; b, w the cohort's sd "
            "between and within patients",
            "",
            (number,),
            partial(_level, number=number),
            f"{number} is missing in the whole patient",
        )
        yield Feature(
            f"{number}__context_spread",
            "patient",
            f"ln(sd of {number} within the patient, shrunk / w), w the cohort's pooled sd within patients",
            "",
            (number,),
            partial(_spread, number=number),
        )


def _lesion_features(scope: Scope) -> Iterator[Feature]:
    needs = (*APPEARANCE, *filter(None, (scope.column,)))
    source = "ISIC 2024, second place; over all numbers: uglyduck"
    about = f"over the {len(APPEARANCE)} numbers of a lesion's look in {scope.words}"
    for name, formula, compute in (
        ("typical_z", f"root mean square of z {about}", _typical_z),
        ("largest_z", f"largest |z| {about}", _largest_z),
        ("outlying", f"how many |z| > 2 {about}", _outlying),
    ):
        own = partial(compute, scope=scope)
        yield Feature(f"context_{scope.name}_{name}", "lesion", formula, "", needs, own, source=source)


UNUSUAL: tuple[Feature, ...] = (
    Feature("context_unusual", "patient", "root mean square of all __context_level", "", APPEARANCE, _unusual),
    *_patient_features(),
    *_lesion_features(_PATIENT),
    *_lesion_features(_LOCATION),
    Feature(
        "context_ugliness_rank",
        "lesion",
        "(mid-rank of context_patient_typical_z in the patient - 1/2) / n",
        "",
        APPEARANCE,
        _ugliness_rank,
    ),
)
"""Features of these parts."""
