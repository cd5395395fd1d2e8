"""The groups `basic`, `tbp` and `engineered`: one lesion by itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cohort.columns import CATEGORICAL, NUMERIC, SLICE3D
from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.specs import FeatureSpec, Kind
from features.patients.block import Block
from features.patients.engineered import ENGINEERED
from features.patients.state import FeatureState

_BASIC = ("age_approx", "sex", "anatom_site_general", "clin_size_long_diam_mm")
_ELSEWHERE = (*_BASIC, "attribution")
_TBP = tuple(name for name in (*NUMERIC, *CATEGORICAL) if name not in _ELSEWHERE)
_COLUMNS = {column.name: column for column in SLICE3D}
_SOURCE = "SLICE-3D, Kurtansky et al., Sci Data 11:884, 2024"


def column_spec(name: str, group: str, part: str = "") -> FeatureSpec:
    """The entry of a canonical column that is a feature as it is."""
    column = _COLUMNS[name]
    kind: Kind = "numeric" if column.role == "numeric" else "category"
    return FeatureSpec(
        name, group, part, kind, f"{name}: {column.description}", column.unit, _SOURCE, "not stated", (name,)
    )


def _basic(columns: Collection[str]) -> list[FeatureSpec]:
    return [column_spec(name, "basic") for name in _BASIC if name in columns]


def _tbp(columns: Collection[str]) -> list[FeatureSpec]:
    return [column_spec(name, "tbp") for name in _TBP if name in columns]


def _engineered(columns: Collection[str]) -> list[FeatureSpec]:
    missing = "an input is missing, or the formula has no value (division by 0)"
    return [
        FeatureSpec(
            one.name,
            "engineered",
            "redundant" if one.twin else "formulas",
            "numeric",
            one.formula.text,
            one.unit,
            one.source,
            missing,
            one.needs,
        )
        for one in ENGINEERED
        if set(one.needs) <= set(columns)
    ]


def _numbers(block: Block, _state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    for spec in wanted:
        yield spec.name, block.number(spec.name)


BASIC = Group(
    "basic", "What every clinic records: age, sex, body site, longest diameter.", _basic, _numbers, of_one_lesion=True
)
TBP = Group(
    "tbp", "The measurements of the total body photography system, as they are.", _tbp, _numbers, of_one_lesion=True
)
ENGINEERED_GROUP = Group(
    "engineered", "Ratios, contrasts and indices of one lesion.", _engineered, _numbers, of_one_lesion=True
)
