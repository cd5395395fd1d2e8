"""Which numbers there are, and which columns each needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from cohort.column import CATEGORY, NUMBER
from features.patients.engineered import ENGINEERED
from features.patients.measures import MEASURED

_NEEDS = {one.name: one.needs for one in ENGINEERED}

COMPARED = (*MEASURED, *(one.name for one in ENGINEERED if one.relative))
"""Numbers that are compared within the patient."""


def needs_of(number: str) -> tuple[str, ...]:
    """Columns of the canonical frame that `number` is computed from."""
    return _NEEDS.get(number, (number,))


def further_numbers(columns: Collection[str]) -> list[str]:
    """The numbers among `columns` that SLICE-3D does not have, ascending; they are compared within the patient, too."""
    return sorted(name for name in columns if name.startswith(NUMBER) and "__" not in name)


def further_categories(columns: Collection[str]) -> list[str]:
    """The categories among `columns` that SLICE-3D does not have, ascending."""
    return sorted(name for name in columns if name.startswith(CATEGORY) and "__" not in name)


def available(number: str, columns: Collection[str]) -> bool:
    """Whether a table with `columns` has all `number` needs."""
    return all(need in columns for need in needs_of(number))


def columns_for(numbers: Iterable[str]) -> list[str]:
    """Columns of the canonical frame that `numbers` are computed from, each once."""
    return list(dict.fromkeys(need for number in numbers for need in needs_of(number)))
