"""Parts `counts` and `visits` of the group `context`: how many lesions the patient has, where, and at which ages."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from features.arithmetic.moments import moments
from features.arithmetic.order import block_order, mid_rank_share, order_within
from features.arithmetic.segments import Floats, Segments
from features.groups.feature import Feature
from features.patients.block import Block
from features.patients.state import FeatureState

AGE = "age_approx"
_SITE = "anatom_site_general"


def lesions(block: Block, *columns: str) -> Floats:
    """Lesions of the patient that agree with this one in `columns`, (n,); NaN where a column is not stated."""
    count = block.scope(*columns).counts_spread.copy() if columns else block.patients.counts_spread.copy()
    for column in columns:
        count[~block.stated(column)] = np.nan
    return count


def distinct(block: Block, column: str) -> Floats:
    """Distinct stated levels of `column` among the patient's lesions, (n,)."""
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


def _visit_number(block: Block) -> Floats:
    once = _visit_ages(block)
    visits = _distinct(block, AGE)
    share = mid_rank_share(order_within(block.patients, once, block_order(once), visits))
    scope = block.scope(AGE)
    return scope.spread((share * block.patients.spread(visits) + 0.5)[scope.first])


def _years_to(block: Block, step: int) -> Floats:
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


def _of_age(statistic: Callable[[Segments, Floats], Floats]) -> Callable[[Block, FeatureState], Floats]:
    return lambda block, _: block.patients.spread(statistic(block.patients, block.number(AGE)))


_first = _of_age(Segments.lowest)
_last = _of_age(Segments.highest)
_mean = _of_age(lambda segments, values: moments(segments, values).mean)


def _share(*columns: str) -> Callable[[Block, FeatureState], Floats]:
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


_NO_AGE = "age_approx is missing"
COUNTS: tuple[Feature, ...] = (
    Feature("context_lesions", "counts", "number of the patient's lesions", "", (), lambda block, _: lesions(block)),
    *_counts(_SITE, "site", "at the same site"),
    *_counts("tbp_lv_location_simple", "region", "in the same region"),
    *_counts("tbp_lv_location", "location", "at the same location"),
    *_counts("tbp_tile_type", "tile", "under the same lighting"),
)
"""Features of the part `counts`."""
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
    Feature(
        "context_visit_excess",
        "visits",
        "lesions of the same age / (lesions / distinct ages of the patient)",
        "",
        (AGE,),
        lambda block, _: lesions(block, AGE) * distinct(block, AGE) / lesions(block),
        _NO_AGE,
    ),
    Feature(
        "context_visit_number",
        "visits",
        "rank of age_approx among the patient's distinct ages, 1 for the youngest",
        "",
        (AGE,),
        lambda block, _: _visit_number(block),
        _NO_AGE,
    ),
    Feature(
        "context_years_since_visit",
        "visits",
        "age_approx - the patient's next younger age",
        "years",
        (AGE,),
        lambda block, _: _years_to(block, -1),
        "age_approx is missing or the youngest",
    ),
    Feature(
        "context_years_to_visit",
        "visits",
        "the patient's next older age - age_approx",
        "years",
        (AGE,),
        lambda block, _: _years_to(block, 1),
        "age_approx is missing or the oldest",
    ),
    Feature("context_age_first", "visits", "youngest age of the patient", "years", (AGE,), _first, "no age is known"),
    Feature("context_age_last", "visits", "oldest age of the patient", "years", (AGE,), _last, "no age is known"),
    Feature(
        "context_age_mean", "visits", "mean age over the patient's lesions", "years", (AGE,), _mean, "no age is known"
    ),
    Feature(
        "context_age_since_first",
        "visits",
        "age_approx - youngest age of the patient",
        "years",
        (AGE,),
        lambda block, state: block.number(AGE) - _first(block, state),
        _NO_AGE,
        "gunes, ISIC 2024",
    ),
    Feature(
        "context_age_before_last",
        "visits",
        "oldest age of the patient - age_approx",
        "years",
        (AGE,),
        lambda block, state: _last(block, state) - block.number(AGE),
        _NO_AGE,
        "ISIC 2024, fifth place",
    ),
    Feature(
        "context_age_range",
        "visits",
        "oldest - youngest age of the patient",
        "years",
        (AGE,),
        lambda block, state: _last(block, state) - _first(block, state),
        "no age is known",
        "ISIC 2024, fifth place",
    ),
)
"""Features of the part `visits`."""
