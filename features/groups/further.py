"""The group `further`: columns that SLICE-3D lacks but a layout or `[data.columns]` names."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cohort.column import CATEGORY, NUMBER
from features.arithmetic.segments import Floats
from features.groups.counts import lesions
from features.groups.group import Group
from features.groups.specs import FeatureSpec, Kind
from features.patients.block import Block
from features.patients.numbers import further_categories, further_numbers
from features.patients.state import FeatureState

_SHARE = "__patient_share"
_MISSING = "not stated"


def _describe(columns: Collection[str]) -> list[FeatureSpec]:
    numbers, categories = further_numbers(columns), further_categories(columns)
    return [
        *(_as_it_is(name, "numbers", name.removeprefix(NUMBER)) for name in numbers),
        *(_as_it_is(name, "categories", name.removeprefix(CATEGORY)) for name in categories),
        *(_share(name) for name in categories),
    ]


def _as_it_is(name: str, part: str, words: str) -> FeatureSpec:
    kind: Kind = "numeric" if part == "numbers" else "category"
    return FeatureSpec(name, "further", part, kind, words, "", "the table", _MISSING, (name,))


def _share(name: str) -> FeatureSpec:
    formula = f"share of the patient's lesions with the same {name}"
    return FeatureSpec(f"{name}{_SHARE}", "further", "share", "numeric", formula, "", "uglyduck", _MISSING, (name,))


def _compute(block: Block, _state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    for spec in wanted:
        if spec.part == "numbers":
            yield spec.name, block.number(spec.name)
        else:
            yield spec.name, lesions(block, spec.needs[0]) / lesions(block)


FURTHER = Group(
    "further",
    "Numbers and categories that SLICE-3D does not have, as they are, and how common a category is with the patient.",
    _describe,
    _compute,
)
