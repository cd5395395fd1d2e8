"""Parts `counts` and `visits` of the group `context`: how many lesions the patient has, where, and at which ages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from features.arithmetic.moments import moments
from features.arithmetic.order import block_order, mid_rank_share, order_within
from features.arithmetic.segments import Floats, Segments
from features.groups.feature import Feature
from features.patients.block import Block
from features.patients.state import FeatureState

_Compute = Callable[[Block, FeatureState], Floats]
AGE = "age_approx"
_SITE = "anatom_site_general"


def lesions(block: Block, *columns: str) -> Floats:
    """Number (n,) of the patient's lesions that match in `columns`; NaN where one is not stated."""
    count = block.scope(*columns).counts_spread.copy() if columns else block.patients.counts_spread.copy()
    for column in columns:
        count[~block.stated(column)] = np.nan
    return count


def distinct(block: Block, column: str) -> Floats:
    """Number (n,) of distinct levels of `column` stated for the patient."""
    return block.patients.spread(_distinct(block, column))


def _distinct(block: Block, column: str) -> Floats:
    first = block.scope(column).first
    mark = np.zeros(block.size)
    mark[first] = block.stated(column)[first]
    return block.patients.total(mark)


def _visit_ages(block: Block) -> Floats:
    """The age (n,) at the first lesion of each visit, NaN at the others."""
    first = block.scope(AGE).first
    once = np.full(block.size, np.nan)
    once[first] = block.number(AGE)[first]
    return once


def _visit_number(block: Block, _state: FeatureState) -> Floats:
    once = _visit_ages(block)
    visits = _distinct(block, AGE)
    share = mid_rank_share(order_within(block.patients, once, block_order(once), visits))
    scope = block.scope(AGE)
    return scope.spread((share * block.patients.spread(visits) + 0.5)[scope.first])


def _years_to(block: Block, _state: FeatureState, *, step: int) -> Floats:
    """Years to the patient's next visit (`step` 1) or since the last one (-1), (n,); NaN where there is none."""
    once = _visit_ages(block)
    visits = _distinct(block, AGE)
    ordered = order_within(block.patients, once, block_order(once), visits)
    ages = ordered.values
    years = np.full(block.size, np.nan)
    change = ages[1:] - ages[:-1]
    change[block.patients.starts[1:] - 1] = np.nan
    if step > 0:
        years[ordered.rows[:-1]] = change
    else:
        years[ordered.rows[1:]] = change
    scope = block.scope(AGE)
    return scope.spread(years[scope.first])


def _excess(block: Block, _state: FeatureState) -> Floats:
    return lesions(block, AGE) * distinct(block, AGE) / lesions(block)


def _of_age(statistic: Callable[[Segments, Floats], Floats]) -> _Compute:
    return lambda block, _: block.patients.spread(statistic(block.patients, block.number(AGE)))


_first = _of_age(Segments.lowest)
_last = _of_age(Segments.highest)
_mean = _of_age(lambda segments, values: moments(segments, values).mean)


def _since_first(block: Block, state: FeatureState) -> Floats:
    return block.number(AGE) - _first(block, state)


def _before_last(block: Block, state: FeatureState) -> Floats:
    return _last(block, state) - block.number(AGE)


def _range(block: Block, state: FeatureState) -> Floats:
    return _last(block, state) - _first(block, state)


def _share(*columns: str) -> _Compute:
    return lambda block, _: lesions(block, *columns) / lesions(block)


def _counts(column: str, word: str, what: str) -> tuple[Feature, ...]:
    part = "visits" if column == AGE else "counts"
    missing = f"{column} is not stated"
    name, needs = f"context_{word}", (column,)
    return (
        Feature(
            f"{name}_lesions",
            part,
            f"number of the patient's lesions {what}",
            "",
            needs,
            lambda block, _: lesions(block, column),
            missing,
        ),
        Feature(
            f"{name}_share", part, f"share of the patient's lesions that are {what}", "", needs, _share(column), missing
        ),
        Feature(
            f"{name}s",
            part,
            f"number of distinct {column} of the patient's lesions",
            "",
            needs,
            lambda block, _: distinct(block, column),
        ),
    )


def _visit(name: str, formula: str, compute: _Compute, missing: str, *, unit: str = "years", **by: str) -> Feature:
    return Feature(f"context_{name}", "visits", formula, unit, (AGE,), compute, missing, **by)


COUNTS: tuple[Feature, ...] = (
    Feature("context_lesions", "counts", "number of the patient's lesions", "", (), lambda block, _: lesions(block)),
    *_counts(_SITE, "site", "at the same site"),
    *_counts("tbp_lv_location_simple", "region", "in the same region"),
    *_counts("tbp_lv_location", "location", "at the same location"),
    *_counts("tbp_tile_type", "tile", "under the same lighting"),
)
"""Features of the part `counts`."""
_NO_AGE, _NO_AGES = "age_approx is missing", "no age is known"
_EXCESS = "lesions of the same age / (lesions / distinct ages of the patient)"
_NUMBER = "rank of age_approx among the patient's distinct ages, 1 for the youngest"
_SINCE, _UNTIL = partial(_years_to, step=-1), partial(_years_to, step=1)
_FIFTH = "ISIC 2024, fifth place"
VISITS: tuple[Feature, ...] = (
    *_counts(AGE, "visit", "of the same age (one visit)"),
    Feature(
        "context_site_visit_lesions",
        "visits",
        "number of the patient's lesions at the same site and of the same age",
        "",
        (_SITE, AGE),
        lambda block, _: lesions(block, _SITE, AGE),
        "site or age is missing",
    ),
    _visit("visit_excess", _EXCESS, _excess, _NO_AGE, unit=""),
    _visit("visit_number", _NUMBER, _visit_number, _NO_AGE, unit=""),
    _visit("years_since_visit", "age_approx - the patient's next younger age", _SINCE, f"{_NO_AGE} or the youngest"),
    _visit("years_to_visit", "the patient's next older age - age_approx", _UNTIL, f"{_NO_AGE} or the oldest"),
    _visit("age_first", "youngest age of the patient", _first, _NO_AGES),
    _visit("age_last", "oldest age of the patient", _last, _NO_AGES),
    _visit("age_mean", "mean age over the patient's lesions", _mean, _NO_AGES),
    _visit(
        "age_since_first", "age_approx - youngest age of the patient", _since_first, _NO_AGE, source="gunes, ISIC 2024"
    ),
    _visit("age_before_last", "oldest age of the patient - age_approx", _before_last, _NO_AGE, source=_FIFTH),
    _visit("age_range", "oldest - youngest age of the patient", _range, _NO_AGES, source=_FIFTH),
)
"""Features of the part `visits`."""
