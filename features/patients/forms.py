"""The forms of comparison: each turns a comparison in a scope into one number per lesion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from features.arithmetic.segments import Floats
from features.patients.comparison import PRIOR, Comparison


def _inverse(squares: Floats) -> Floats:
    """1 / sqrt, or 0 where the root is 0."""
    root = np.sqrt(squares)
    if root.size and root.min() > 0:
        return 1.0 / root
    return np.divide(1.0, root, out=np.zeros_like(root), where=root > 0)


def z_score(own: Comparison) -> Floats:
    """Deviation from the (shrunk) mean in (shrunk) standard deviations."""
    inverse = _inverse(own.variance)
    if own.patient is None:
        return own.moments.deviation * own.segments.spread(inverse)
    near, far = own.weights
    return own.moments.deviation * own.segments.spread(near * inverse) + own.patient.moments.deviation * (
        own.segments.spread(far * inverse)
    )


def leave_one_out(own: Comparison) -> Floats:
    """Deviation from the others' mean in the others' standard deviations, so that a lesion does not hide itself."""
    if own.patient is None:
        deviation, variance = own.others
        return deviation * _inverse(variance)
    deviation, variance = own.patient.others
    count = own.moments.count_spread(own.segments)
    others = np.maximum(count - 1, 0.0)
    pull = own.prior.pull
    centred = (count * own.moments.deviation + pull * deviation) / (others + pull)
    return centred * _inverse((own.squares_without + PRIOR * variance) / (np.maximum(others - 1, 0.0) + PRIOR))


def robust_z(own: Comparison) -> Floats:
    """Deviation from the (shrunk) median in (shrunk) robust standard deviations."""
    inverse = own.segments.spread(_inverse(own.robust_variance))
    return (own.values - own.segments.spread(_centre(own))) * inverse


def _centre(own: Comparison) -> Floats:
    """Shrunk median (g,)."""
    if own.patient is None:
        return own.median
    patient = own.patient.median[own.owner]
    return patient + own.weights[0] * (own.median - patient)


def rank(own: Comparison) -> Floats:
    """(Shrunk) share of the scope's lesions below, ties counted half."""
    if own.patient is None:
        return own.rank
    near, far = own.weights
    return own.rank * own.segments.spread(near) + own.patient.rank * own.segments.spread(far)


def ratio(own: Comparison) -> Floats:
    """Ratio to the (shrunk) median."""
    offset = own.prior.offset
    below = own.segments.spread(_centre(own)) + offset
    result = np.divide(own.values + offset, below, out=np.ones_like(below), where=below > 0)
    result[np.isnan(own.values)] = np.nan
    return result


def gap(own: Comparison) -> Floats:
    """How far the lesion stands out beyond all others on its side of the median, in (shrunk) standard deviations.

    Positive for the most extreme lesion on its side: the distance to the next most extreme. Negative for every other:
    how far it falls short of the most extreme.
    """
    ordered, segments = own.ordered, own.segments
    count = own.moments.count
    last = count.astype(np.intp) - 1
    highest, lowest, middle = ordered.at(last), ordered.at(0 * last), own.median
    above = own.values - segments.spread(highest)
    result = np.where(own.values >= segments.spread(middle), above, segments.spread(lowest) - own.values)
    bottom = lowest < middle
    result[ordered.rows[segments.starts[bottom]]] = (ordered.at(0 * last + 1) - lowest)[bottom]
    some = last >= 0
    result[ordered.rows[(segments.starts + last)[some]]] = (highest - ordered.at(last - 1))[some]
    result *= segments.spread(np.where(count > 1, _inverse(own.variance), 0.0))
    return result


@dataclass(frozen=True)
class Form:
    """A form of comparison.

    Attributes:
        part: Its switch.
        compute: From a comparison to (n,), NaN where the number is missing.
        formula: In words, with {x} for the number, {scope} for the scope.
        source: Who published it.
        ratio_only: Whether it makes sense only for numbers on a ratio scale.
        engineered: Whether it is given for engineered numbers too (patient scope).
    """

    part: str
    compute: Callable[[Comparison], Floats]
    formula: str
    source: str
    ratio_only: bool = False
    engineered: bool = False


FORMS: tuple[Form, ...] = (
    Form(
        "z",
        z_score,
        "({x} - centre) / sqrt(variance) in {scope}",
        "z within patient: ISIC 2024 solutions; shrinkage: uglyduck",
        engineered=True,
    ),
    Form(
        "loo",
        leave_one_out,
        "({x} - centre) / sqrt(variance) of the other lesions in {scope}",
        "uglyduck",
    ),
    Form(
        "robust",
        robust_z,
        "({x} - median) / (1.4826 MAD) in {scope}, shrunk as the mean and the variance are",
        "robust z: Iglewicz & Hoaglin 1993; shrinkage: uglyduck",
    ),
    Form(
        "rank",
        rank,
        "(mid-rank - 1/2) / n of {x} in {scope}",
        "percentile within patient: ISIC 2024 solutions; shrinkage: uglyduck",
        engineered=True,
    ),
    Form("ratio", ratio, "({x} + c) / (median + c) in {scope}, c 1 % of the cohort's mean", "uglyduck", True),
    Form(
        "gap",
        gap,
        "if {x} >= median: ({x} - largest of the others) / sd, else (smallest of the others - {x}) / sd, in {scope}",
        "uglyduck",
    ),
)
"""Every form, in the order of the feature table."""
FORM_OF = {form.part: form for form in FORMS}
"""The form of each switch."""
