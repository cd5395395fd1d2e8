"""What the painter knows about a lesion, read from its table row and checked once for a whole frame."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from engine.errors import InputError

Lab = tuple[float, float, float]

_NUMBERS = (
    "clin_size_long_diam_mm",
    "tbp_lv_minorAxisMM",
    "tbp_lv_symm_2axis_angle",
    "tbp_lv_symm_2axis",
    "tbp_lv_area_perim_ratio",
    "tbp_lv_color_std_mean",
    "tbp_lv_radial_color_std_max",
    "tbp_lv_stdL",
    "tbp_lv_stdLExt",
    "tbp_lv_L",
    "tbp_lv_A",
    "tbp_lv_B",
    "tbp_lv_Lext",
    "tbp_lv_Aext",
    "tbp_lv_Bext",
    "crop_sign",
)
_TEXTS = ("tbp_tile_type", "sex", "anatom_site_general", "attribution")
_DIAMETERS = _NUMBERS[:2]
_WHERE = "rows to paint"
COLUMNS = ("isic_id", *_NUMBERS, *_TEXTS)
"""The columns that a crop is painted from, in the order of the attributes of `Subject`."""


class Subject(NamedTuple):
    """One lesion as the painter sees it; lengths in mm, colours in CIELAB as the table gives them.

    Attributes:
        isic_id: Key.
        diameter: Longest diameter.
        minor_axis: Smallest diameter.
        angle: Direction of the long axis, degrees from the right, 0 to 180.
        asymmetry: Border asymmetry about the second axis, 0 to 1.
        jaggedness: Perimeter² / area.
        colour_spread: Spread of colour inside.
        colour_asymmetry: Spread of colour in concentric rings.
        spread_inside: Standard deviation of L* inside.
        spread_outside: Standard deviation of L* outside.
        L, A, B: Mean colour inside.
        Lext, Aext, Bext: Mean colour outside.
        sign: Latent strength of what only the crop shows, about standard normal for benign lesions.
        tile: Lighting of the tile.
        sex: "male", "female" or "".
        site: Body site or "".
        hospital: Institution or "".
    """

    isic_id: str
    diameter: float
    minor_axis: float
    angle: float
    asymmetry: float
    jaggedness: float
    colour_spread: float
    colour_asymmetry: float
    spread_inside: float
    spread_outside: float
    L: float
    A: float
    B: float
    Lext: float
    Aext: float
    Bext: float
    sign: float
    tile: str
    sex: str
    site: str
    hospital: str

    @property
    def outside(self) -> Lab:
        """Mean colour outside."""
        return self.Lext, self.Aext, self.Bext

    @property
    def contrast(self) -> Lab:
        """Colour inside minus outside."""
        return self.L - self.Lext, self.A - self.Aext, self.B - self.Bext


def subjects(rows: pl.DataFrame) -> Iterator[Subject]:
    """The lesions of `rows`, in order.

    Raises:
        InputError: At once, not at the first lesion: a column is missing, an id is repeated or malformed, or a number
            is missing, not finite or (a diameter) not positive.
    """
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise InputError(
            f"no column {', '.join(missing)}",
            where=_WHERE,
            remedy="join the simulated metadata with its truth by isic_id",
        )
    numbers, texts = pl.col(_NUMBERS).cast(pl.Float64), pl.col(_TEXTS).cast(pl.String).fill_null("")
    known = rows.select("isic_id", numbers, texts)
    _check_ids(known["isic_id"])
    _check_numbers(known)
    return (Subject(*row) for row in known.iter_rows())


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


def _check_numbers(rows: pl.DataFrame) -> None:
    for column in _NUMBERS:
        values = rows[column].to_numpy()
        wrong = ~np.isfinite(values) | ((values <= 0) & (column in _DIAMETERS))
        if wrong.any():
            first = int(wrong.argmax())
            raise InputError(
                f"{column} of {rows['isic_id'][first]} is {values[first]}",
                where=_WHERE,
                remedy="give a finite number, and a positive one for a diameter",
            )
