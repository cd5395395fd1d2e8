"""The group `neighbours`: its entries in the dictionary, and the computation behind each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from features.arithmetic.segments import Floats
from features.groups.body_neighbours import COMPARED_ON_BODY, POSITION, on_body
from features.groups.group import Group
from features.groups.multivariate import DISTANCE_NUMBERS, local_outliers, mahalanobis
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.state import FeatureState

_METRIC = "Mahalanobis distance from the mean of {}, covariance (S + 16 Σ) / ({} + 16), Σ the cohort's within patients"
_NUMBERS = "of the 15 standardised numbers of size, border and colour"
_FIXED: tuple[tuple[str, str, str, str, str], ...] = (
    (
        "neighbours_lof",
        "lof",
        f"local outlier factor in the patient, k = min(n - 1, 30), {_NUMBERS}; 1 with fewer than 3 lesions",
        "",
        "Breunig et al., SIGMOD 2000; ISIC 2024, first place",
    ),
    (
        "neighbours_nearest",
        "lof",
        f"distance to the most similar lesion of the patient, {_NUMBERS}; 0 if alone",
        "",
        "uglyduck",
    ),
    (
        "neighbours_mean_5",
        "lof",
        f"mean distance to the 5 most similar lesions, {_NUMBERS}; 0 if alone",
        "",
        "uglyduck",
    ),
    ("neighbours_mahalanobis", "mahalanobis", _METRIC.format("the patient", "n - 1"), "", "uglyduck"),
    ("neighbours_mahalanobis_loo", "mahalanobis", _METRIC.format("the patient's others", "n - 2"), "", "uglyduck"),
    (
        "neighbours_beside_nearest",
        "beside",
        "distance to the nearest lesion of the patient on the body",
        "mm",
        "uglyduck",
    ),
    ("neighbours_beside_mean", "beside", "mean distance to the 10 nearest lesions on the body", "mm", "uglyduck"),
    ("neighbours_within_50mm", "beside", "number of the patient's other lesions within 50 mm", "", "uglyduck"),
)
_SUFFIX = "__neighbours_beside"


def _describe(columns: Collection[str]) -> list[FeatureSpec]:
    fixed = [_spec(*entry) for entry in _FIXED]
    relative = [_on_body_spec(number) for number in COMPARED_ON_BODY]
    return [spec for spec in (*fixed, *relative) if set(spec.needs) <= set(columns)]


def _spec(name: str, part: str, formula: str, unit: str, source: str) -> FeatureSpec:
    needs, missing = (POSITION, "the position is missing") if part == "beside" else (DISTANCE_NUMBERS, "never")
    if unit:
        missing = f"{missing}, or no other lesion has one"
    return FeatureSpec(name, "neighbours", part, "numeric", formula, unit, source, missing, needs)


def _on_body_spec(number: str) -> FeatureSpec:
    return FeatureSpec(
        f"{number}{_SUFFIX}",
        "neighbours",
        "beside",
        "numeric",
        f"(k ({number} - mean of the k <= 10 nearest on the body) / sd + 4 z) / (k + 4), sd and z in the patient",
        "",
        "uglyduck",
        f"{number} is missing",
        (number, *POSITION),
    )


def _compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    names = {spec.name for spec in wanted}
    parts = {spec.part for spec in wanted}
    numbers = [name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)]
    if "lof" in parts:
        yield from ((name, values) for name, values in local_outliers(block, state).items() if name in names)
    if "mahalanobis" in parts:
        yield from ((name, values) for name, values in mahalanobis(block, state).items() if name in names)
    if "beside" in parts:
        yield from ((name, values) for name, values in on_body(block, state, sorted(numbers)) if name in names)


NEIGHBOURS = Group(
    "neighbours", "A lesion against those that look most alike and those next to it on the body.", _describe, _compute
)
