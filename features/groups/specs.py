"""A feature in words: the dictionary entry that every group writes for each of its columns."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Kind = Literal["numeric", "category"]


@dataclass(frozen=True, slots=True)
class FeatureSpec:
    """One column of the feature table.

    Attributes:
        name: Column name in the feature table.
        group: Group it is switched with.
        part: Part of the group, switched as `group.part`; empty if a group has no parts.
        kind: "numeric" is Float32, "category" is String.
        formula: How it is computed, in the words of docs/features.md.
        unit: Unit; empty for a pure number.
        source: Who published the formula, or "uglyduck".
        missing: When the value is null.
        needs: Columns of the canonical frame (or of the image table) it is computed from.
    """

    name: str
    group: str
    part: str
    kind: Kind
    formula: str
    unit: str
    source: str
    missing: str
    needs: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The entry as a JSON-able dictionary."""
        return {**asdict(self), "needs": list(self.needs)}

    @property
    def switch(self) -> str:
        """The finest switch that selects it: `group.part`, or `group` if it has no parts."""
        return f"{self.group}.{self.part}" if self.part else self.group

    def answers_to(self, switch: str) -> bool:
        """Whether `switch`, a group ("patient") or a part of one ("patient.z"), selects this feature."""
        return switch in (self.group, self.switch)
