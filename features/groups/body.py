"""Parts `area`, `skin` and `spread` of the group `context`: lesion area, skin tone, and spread on the body."""

from __future__ import annotations

from functools import partial

import numpy as np

from cohort.skin_tone import individual_typology_angle
from features.arithmetic.moments import moments
from features.arithmetic.order import block_order, median, order_within
from features.arithmetic.segments import Floats
from features.groups.feature import Feature
from features.patients.block import Block
from features.patients.state import FeatureState

_AREA = "tbp_lv_areaMM2"
_DIAMETER = "clin_size_long_diam_mm"
_POSITION = ("tbp_lv_x", "tbp_lv_y", "tbp_lv_z")
_SKIN = ("tbp_lv_Lext", "tbp_lv_Bext")
_ITA = "individual typology angle, degrees(atan2(Lext - 50, Bext))"
_CHARDON = "ITA: Chardon et al., Int J Cosmet Sci 13:191, 1991"


def _total_area(block: Block, _state: FeatureState, *, columns: tuple[str, ...] = ()) -> Floats:
    scope = block.scope(*columns) if columns else block.patients
    total = scope.spread(scope.total(np.nan_to_num(block.number(_AREA))))
    for column in columns:
        total[~block.stated(column)] = np.nan
    return total


def _area_share(block: Block, state: FeatureState) -> Floats:
    return _over(block.number(_AREA), _total_area(block, state))


def _of_largest(block: Block, _state: FeatureState) -> Floats:
    values = block.number(_DIAMETER)
    return _over(values, block.patients.spread(block.patients.highest(values)))


def _over(values: Floats, whole: Floats) -> Floats:
    """Quotient, NaN where the divisor is not positive."""
    result: Floats = np.full(values.size, np.nan)
    return np.divide(values, whole, out=result, where=whole > 0)


def _larger_than(block: Block, _state: FeatureState, *, limit: float) -> Floats:
    larger = (block.number(_DIAMETER) >= limit).astype(np.float64)
    return block.patients.spread(block.patients.total(larger) / block.patients.counts)


def skin_tone(block: Block, _state: FeatureState) -> Floats:
    """Individual typology angle (n,) of the skin around each lesion, degrees."""
    return individual_typology_angle(*(block.number(name) for name in _SKIN))


def _patient_tone(block: Block, state: FeatureState) -> Floats:
    tone = skin_tone(block, state)
    count = block.patients.total((~np.isnan(tone)).astype(np.float64))
    return block.patients.spread(median(order_within(block.patients, tone, block_order(tone), count)))


def _tone_difference(block: Block, state: FeatureState) -> Floats:
    return skin_tone(block, state) - _patient_tone(block, state)


def _body_spread(block: Block, _state: FeatureState) -> Floats:
    found = [moments(block.patients, block.number(axis)) for axis in _POSITION]
    squares = [one.squares / np.maximum(one.count, 1.0) for one in found]
    return block.patients.spread(np.sqrt(squares[0] + squares[1] + squares[2]))


def _from_middle(block: Block, _state: FeatureState) -> Floats:
    x, y, z = (moments(block.patients, block.number(axis)).deviation for axis in _POSITION)
    return np.sqrt(x**2 + y**2 + z**2)


BODY: tuple[Feature, ...] = (
    Feature(
        "context_area_total",
        "area",
        "sum of tbp_lv_areaMM2 over the patient",
        "mm²",
        (_AREA,),
        _total_area,
        source="ISIC 2024, first place",
    ),
    Feature(
        "context_site_area_total",
        "area",
        "sum of tbp_lv_areaMM2 over the patient's lesions at the same site",
        "mm²",
        (_AREA, "anatom_site_general"),
        partial(_total_area, columns=("anatom_site_general",)),
        "anatom_site_general is not stated",
        "ISIC 2024, first place",
    ),
    Feature(
        "context_area_share",
        "area",
        "tbp_lv_areaMM2 / sum over the patient",
        "",
        (_AREA,),
        _area_share,
        "tbp_lv_areaMM2 is missing",
    ),
    Feature(
        "context_of_largest",
        "area",
        "clin_size_long_diam_mm / the patient's largest",
        "",
        (_DIAMETER,),
        _of_largest,
        "clin_size_long_diam_mm is missing",
        "gunes, ISIC 2024",
    ),
    Feature(
        "context_large_share",
        "area",
        "share of the patient's lesions with clin_size_long_diam_mm >= 6",
        "",
        (_DIAMETER,),
        partial(_larger_than, limit=6.0),
    ),
    Feature("context_skin_tone", "skin", _ITA, "degrees", _SKIN, skin_tone, "an input is missing", _CHARDON),
    Feature(
        "context_patient_tone",
        "skin",
        f"median over the patient of the {_ITA}",
        "degrees",
        _SKIN,
        _patient_tone,
        "no input is known",
        _CHARDON,
    ),
    Feature(
        "context_tone_difference",
        "skin",
        "context_skin_tone - context_patient_tone",
        "degrees",
        _SKIN,
        _tone_difference,
        "an input is missing",
    ),
    Feature(
        "context_body_spread",
        "spread",
        "root mean squared distance of the patient's lesions from their mean position",
        "mm",
        _POSITION,
        _body_spread,
    ),
    Feature(
        "context_from_middle",
        "spread",
        "distance from the mean position of the patient's lesions",
        "mm",
        _POSITION,
        _from_middle,
        "a coordinate is missing",
    ),
)
"""Features of these parts."""
