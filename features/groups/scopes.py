"""The groups `patient`, `site`, `region`, `location` and `tile`: a lesion against the same patient's other lesions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.comparison import Comparison
from features.patients.forms import FORM_OF, FORMS, Form
from features.patients.measures import MEASURED, RATIO
from features.patients.numbers import COMPARED, available, further_numbers, needs_of
from features.patients.state import FeatureState


@dataclass(frozen=True)
class Scope:
    """Lesions to compare a lesion with.

    Attributes:
        name: Name of the group and of the scope in column names.
        column: Category that the lesions share; empty for all of the patient's.
        words: Its name in formulas.
    """

    name: str
    column: str
    words: str

    def numbers(self, form: Form, columns: Collection[str]) -> list[str]:
        """Numbers that `form` is given for in a table with `columns`."""
        if form.ratio_only:
            return [name for name in MEASURED if name in RATIO and available(name, columns)]
        known = COMPARED if form.engineered and not self.column else MEASURED
        return [*(name for name in known if available(name, columns)), *further_numbers(columns)]


SCOPES: tuple[Scope, ...] = (
    Scope("patient", "", "the patient"),
    Scope("site", "anatom_site_general", "the patient's lesions at the same site"),
    Scope("region", "tbp_lv_location_simple", "the patient's lesions in the same region"),
    Scope("location", "tbp_lv_location", "the patient's lesions at the same location"),
    Scope("tile", "tbp_tile_type", "the patient's lesions under the same lighting"),
)
"""Every scope; the others are shrunk to the first."""


def compare(block: Block, state: FeatureState, number: str, scope: Scope) -> Comparison:
    """The block's lesions compared on `number` within `scope`; the block caches the comparison in the patient."""
    patient = block.comparisons.get(number)
    if patient is None:
        patient = Comparison(block.patients, block.number(number), state.prior(number))
        block.comparisons[number] = patient
    if not scope.column:
        return patient
    return Comparison(block.scope(scope.column), block.number(number), state.prior(number, scope.name), patient)


def _group(scope: Scope) -> Group:
    def describe(columns: Collection[str]) -> list[FeatureSpec]:
        if scope.column and scope.column not in columns:
            return []
        return [_spec(scope, form, number) for form in FORMS for number in scope.numbers(form, columns)]

    def compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
        by_number: dict[str, list[FeatureSpec]] = {}
        for spec in wanted:
            by_number.setdefault(spec.name.partition("__")[0], []).append(spec)
        for number, specs in by_number.items():
            own = compare(block, state, number, scope)
            for spec in specs:
                yield spec.name, FORM_OF[spec.part].compute(own)

    return Group(scope.name, f"A lesion against {scope.words}.", describe, compute)


def _spec(scope: Scope, form: Form, number: str) -> FeatureSpec:
    needs = (*needs_of(number), scope.column) if scope.column else needs_of(number)
    return FeatureSpec(
        name=f"{number}__{scope.name}_{form.part}",
        group=scope.name,
        part=form.part,
        kind="numeric",
        formula=form.formula.format(x=number, scope=scope.words),
        unit="",
        source=form.source,
        missing=f"{number} is missing",
        needs=needs,
    )


SCOPE_GROUPS: tuple[Group, ...] = tuple(_group(scope) for scope in SCOPES)
"""One group per scope."""
