"""Two measurements of all lesions of one patient: the picture of an ugly duckling if there are no crops."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from submissions.measurements import MEASUREMENTS

#: Axis label and unit of each measurement that a reason may name.
LABELS: dict[str, tuple[str, str]] = {
    "clin_size_long_diam_mm": ("longest diameter", "mm"),
    "tbp_lv_deltaL": ("lightness against the skin", "CIELAB L*"),
    "tbp_lv_deltaLBnorm": ("contrast to the skin around", ""),
    "tbp_lv_color_std_mean": ("unevenness of colour", ""),
    "tbp_lv_radial_color_std_max": ("asymmetry of colour", ""),
    "tbp_lv_norm_border": ("irregularity of the border", "of 10"),
    "tbp_lv_symm_2axis": ("asymmetry of outline", ""),
    "tbp_lv_eccentricity": ("elongation", ""),
    "tbp_lv_H": ("hue", "degrees"),
}
#: Most lesions drawn of one patient; if there are more, every n-th by score.
DRAWN = 400
#: Fewest lesions of a patient whose median and spread mean something.
_FEWEST = 5


def strip(lesions: pl.DataFrame, flagged: str, first: str | None = None) -> dict[str, Any] | None:
    """One patient's lesions by two measurements, about different things, in which the flagged one is unusual.

    Args:
        lesions: One patient's rows: isic_id, blend and measurements.
        flagged: The lesion to mark.
        first: The measurement that its reason names; by default the one in which it is furthest from the patient's
            median, in median absolute deviations. The other one is the furthest of the rest.

    Returns:
        `x` and `y` (name, label, unit), `points` ([x, y] of each lesion drawn), `flagged` ([x, y]), `of` (lesions
        with both measurements); None if fewer than two measurements are known.
    """
    axes = _axes(lesions, flagged, first)
    if axes is None:
        return None
    complete = lesions.drop_nulls(axes).sort("blend", "isic_id")
    mine = complete.filter(pl.col("isic_id") == flagged).select(axes).row(0)
    others = complete.filter(pl.col("isic_id") != flagged).select(axes)
    drawn = others.gather_every(max(1, -(-others.height // DRAWN)))
    return {
        **{place: _named(axis) for place, axis in zip("xy", axes, strict=True)},
        "points": [[_short(value) for value in row] for row in drawn.iter_rows()],
        "flagged": [_short(value) for value in mine],
        "of": complete.height,
    }


def _axes(lesions: pl.DataFrame, flagged: str, first: str | None) -> list[str] | None:
    about = {one.column: one.about for one in MEASUREMENTS if one.column in LABELS and one.column in lesions.columns}
    distances = {column: _distance(lesions, column, flagged) for column in about}
    known = {column: distance for column, distance in distances.items() if distance is not None}
    furthest = sorted(known, key=lambda column: -known[column])
    if first in known:
        furthest = [first, *(column for column in furthest if column != first)]
    second = [column for column in furthest if about[column] != about[furthest[0]]]
    return [furthest[0], second[0]] if second else None


def _named(column: str) -> dict[str, str]:
    label, unit = LABELS[column]
    return {"name": column, "label": label, "unit": unit}


def _distance(lesions: pl.DataFrame, name: str, flagged: str) -> float | None:
    """How many median absolute deviations the flagged lesion is from the patient's median; None if unknown."""
    mine = lesions.filter(pl.col("isic_id") == flagged)[name]
    values = lesions[name].drop_nulls().to_numpy()
    if mine.null_count() or values.size < _FEWEST:
        return None
    middle = np.median(values)
    spread = np.median(np.abs(values - middle))
    return float(np.abs(mine[0] - middle) / spread) if spread > 0 else 0.0


def _short(value: float) -> float:
    return float(f"{value:.4g}")
