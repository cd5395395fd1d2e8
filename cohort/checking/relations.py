"""Relations that hold exactly between the columns of every published SLICE-3D row."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from cohort.findings import Check, Finding

RELATIONS_BROKEN = Check("UD122", "exact relations between columns that do not hold", "warning")
TOLERANCE = 1e-4
"""Largest deviation that rounding explains, as a share of the value (of 1 for smaller values).

The 28 published rows with all columns deviate by at most 1e-5; the files hold 7 digits or more.
"""


@dataclass(frozen=True)
class Relation:
    """`left` equals `right` in every row; `turn` is 360 for an angle, 0 otherwise."""

    formula: str
    left: str
    needs: tuple[str, ...]
    right: pl.Expr
    turn: float = 0

    def deviation(self) -> pl.Expr:
        """Absolute difference of the sides as a share of max(1, |right|); for angles the shorter way round."""
        difference = (pl.col(self.left) - self.right).abs()
        if self.turn:
            difference = pl.min_horizontal(difference, self.turn - difference)
        return difference / self.right.abs().clip(lower_bound=1)


def _tbp(name: str) -> pl.Expr:
    return pl.col(f"tbp_lv_{name}")


def _relation(formula: str, left: str, needs: str, right: pl.Expr, turn: float = 0) -> Relation:
    return Relation(formula, f"tbp_lv_{left}", tuple(f"tbp_lv_{name}" for name in needs.split()), right, turn)


def _chroma(a: str, b: str) -> pl.Expr:
    return (_tbp(a) ** 2 + _tbp(b) ** 2).sqrt()


def _hue(a: str, b: str) -> pl.Expr:
    return pl.arctan2(_tbp(b), _tbp(a)).degrees()


RELATIONS = (
    _relation("C = hypot(A, B)", "C", "A B", _chroma("A", "B")),
    _relation("Cext = hypot(Aext, Bext)", "Cext", "Aext Bext", _chroma("Aext", "Bext")),
    _relation("H = atan2(B, A)", "H", "A B", _hue("A", "B"), 360),
    _relation("Hext = atan2(Bext, Aext)", "Hext", "Aext Bext", _hue("Aext", "Bext"), 360),
    _relation("deltaA = A - Aext", "deltaA", "A Aext", _tbp("A") - _tbp("Aext")),
    _relation("deltaB = B - Bext", "deltaB", "B Bext", _tbp("B") - _tbp("Bext")),
    _relation("deltaL = L - Lext", "deltaL", "L Lext", _tbp("L") - _tbp("Lext")),
    _relation(
        "area_perim_ratio = perimeterMM² / areaMM2",
        "area_perim_ratio",
        "perimeterMM areaMM2",
        _tbp("perimeterMM") ** 2 / _tbp("areaMM2"),
    ),
)


def check_relations(frame: pl.DataFrame, *, where: str) -> Finding:
    """Largest deviation of each relation, over the rows where both sides are known and finite."""
    applicable = [relation for relation in RELATIONS if {relation.left, *relation.needs} <= set(frame.columns)]
    if not applicable:
        return RELATIONS_BROKEN.not_applicable("the table has no such columns", where=where)
    deviations = frame.select(
        pl.when(relation.deviation().is_finite()).then(relation.deviation()).alias(relation.formula)
        for relation in applicable
    )
    largest = {name: deviations[name].max() for name in deviations.columns}
    known = {name: float(value) for name, value in largest.items() if isinstance(value, float)}
    if not known:
        return RELATIONS_BROKEN.not_applicable("every such column is empty", where=where)
    rows = {name: int((deviations[name] > TOLERANCE).sum()) for name in known}
    values = {"relations": {name: {"largest": known[name], "rows": rows[name]} for name in known}}
    worst = max(known, key=lambda name: known[name])
    if known[worst] <= TOLERANCE:
        measured = f"all {len(known)} hold, the largest deviation is {known[worst]:.1g}"
        return RELATIONS_BROKEN.clear(measured, where=where, **values)
    broken = ", ".join(f"{name} in {count} rows" for name, count in rows.items() if count)
    return RELATIONS_BROKEN.found(f"{broken}; the largest deviation is {known[worst]:.1g}", where=where, **values)
