"""Features that are each one function of a block: the simple way to write a group."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.state import FeatureState


@dataclass(frozen=True)
class Feature:
    """A numeric feature and how it is computed.

    Attributes:
        name: Column name.
        part: Part of its group.
        formula: In words.
        unit: Unit; empty for a pure number.
        needs: Columns of the canonical frame.
        compute: From a block and the cohort constants to (n,), NaN for missing.
        missing: When the value is null.
        source: Who published it.
    """

    name: str
    part: str
    formula: str
    unit: str
    needs: tuple[str, ...]
    compute: Callable[[Block, FeatureState], Floats]
    missing: str = "never"
    source: str = "uglyduck"

    def spec(self, group: str) -> FeatureSpec:
        """Its entry in the dictionary."""
        return FeatureSpec(
            self.name, group, self.part, "numeric", self.formula, self.unit, self.source, self.missing, self.needs
        )


def feature_group(name: str, about: str, features: Sequence[Feature], *, of_one_lesion: bool = False) -> Group:
    """A group of features; `of_one_lesion` says that none needs the patient's other lesions."""
    by_name = {feature.name: feature for feature in features}

    def describe(columns: Collection[str]) -> list[FeatureSpec]:
        return [feature.spec(name) for feature in features if set(feature.needs) <= set(columns)]

    def compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
        for spec in wanted:
            yield spec.name, by_name[spec.name].compute(block, state)

    return Group(name, about, describe, compute, of_one_lesion)
