"""Feature families of a run, as named in its feature dictionary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from engine.errors import InputError

#: Names of features by family, both in the run's order.
Families = dict[str, tuple[str, ...]]


def families(specs: Sequence[Mapping[str, str]], chosen: Iterable[str] | None = None, *, where: str) -> Families:
    """Sort a run's features into families.

    Args:
        specs: The run's feature dictionary; the name, group and part of each feature are read.
        chosen: Groups ("patient") or parts of groups ("patient.z"); None for every group that the run has.
        where: The place to name in an error.

    Raises:
        InputError: A chosen family has no feature in this run.
    """
    wanted = list(dict.fromkeys(spec["group"] for spec in specs)) if chosen is None else list(dict.fromkeys(chosen))
    found = {switch: tuple(spec["name"] for spec in specs if switch in _switches(spec)) for switch in wanted}
    for switch, names in found.items():
        if not names:
            known = list(dict.fromkeys(switch for spec in specs for switch in _switches(spec)))
            nearest = get_close_matches(switch, known, n=1)
            remedy = f"did you mean {nearest[0]!r}" if nearest else f"choose among {', '.join(known)}"
            raise InputError(f"the run has no features of {switch!r}", where=where, remedy=remedy)
    return found


def _switches(spec: Mapping[str, str]) -> tuple[str, ...]:
    return (spec["group"], f"{spec['group']}.{spec['part']}") if spec["part"] else (spec["group"],)
