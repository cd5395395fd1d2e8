"""What the painter reads of a lesion's table row, checked once for a whole frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from cohort.simulator.painting.subject import Lab, Subject
from engine.errors import InputError

_NUMBERS = {
    "clin_size_long_diam_mm": "diameter",
    "tbp_lv_minorAxisMM": "minor_axis",
    "tbp_lv_symm_2axis_angle": "angle",
    "tbp_lv_symm_2axis": "asymmetry",
    "tbp_lv_area_perim_ratio": "jaggedness",
    "tbp_lv_color_std_mean": "colour_spread",
    "tbp_lv_radial_color_std_max": "colour_asymmetry",
    "tbp_lv_stdL": "spread_inside",
    "tbp_lv_stdLExt": "spread_outside",
    "tbp_lv_L": "L",
    "tbp_lv_A": "A",
    "tbp_lv_B": "B",
    "tbp_lv_Lext": "Lext",
    "tbp_lv_Aext": "Aext",
    "tbp_lv_Bext": "Bext",
    "crop_sign": "sign",
}
_TEXTS = {"tbp_tile_type": "tile", "sex": "sex", "anatom_site_general": "site", "attribution": "hospital"}
_DIAMETERS = ("clin_size_long_diam_mm", "tbp_lv_minorAxisMM")
_WHERE = "rows to paint"
COLUMNS = ("isic_id", *_NUMBERS, *_TEXTS)


def subjects(rows: pl.DataFrame) -> Iterator[Subject]:
    """The lesions of `rows`, as `check_rows` returned them, in order."""
    for row in rows.iter_rows(named=True):
        known: dict[str, Any] = {name: row[column] for column, name in _NUMBERS.items()}
        known |= {name: row[column] or "" for column, name in _TEXTS.items()}
        inside: Lab = (known.pop("L"), known.pop("A"), known.pop("B"))
        outside: Lab = (known.pop("Lext"), known.pop("Aext"), known.pop("Bext"))
        yield Subject(row["isic_id"], **known, inside=inside, outside=outside)


def check_rows(rows: pl.DataFrame) -> pl.DataFrame:
    """The columns of `COLUMNS` of `rows`, typed and checked.

    Raises:
        InputError: A column is missing, an id is repeated or malformed, or a number is missing, not finite or (a
            diameter) not positive.
    """
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=_WHERE,
            remedy="join the simulated metadata with its truth by isic_id",
        )
    checked = rows.select("isic_id", pl.col(list(_NUMBERS)).cast(pl.Float64), pl.col(list(_TEXTS)).cast(pl.String))
    _check_ids(checked["isic_id"])
    for column in _NUMBERS:
        values = checked[column].to_numpy()
        wrong = ~np.isfinite(values)
        if column in _DIAMETERS:
            wrong |= values <= 0
        if wrong.any():
            first = int(wrong.argmax())
            raise InputError(
                f"{column} of {checked['isic_id'][first]} is {values[first]}",
                where=_WHERE,
                remedy="give a finite number, and a positive one for a diameter",
            )
    return checked


def _check_ids(ids: pl.Series) -> None:
    malformed = ids.filter(~ids.str.contains("^[A-Za-z0-9_-]+$").fill_null(value=False))
    repeated = ids.filter(ids.is_duplicated())
    for wrong, what in ((malformed, "is not an id"), (repeated, "is there twice")):
        if len(wrong):
            raise InputError(
                f"isic_id {wrong[0]!r} {what}",
                where=_WHERE,
                remedy="give every lesion an id of its own (A-Z a-z 0-9 _ -)",
            )
