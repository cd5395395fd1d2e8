"""Skin tone from the skin around a lesion: the individual typology angle and its six classes."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from cohort.skin_tone import individual_typology_angle

#: Lower end of each class in degrees (exclusive), the lightest first.
CLASSES: tuple[tuple[str, float], ...] = (
    ("very light", 55.0),
    ("light", 41.0),
    ("intermediate", 28.0),
    ("tan", 10.0),
    ("brown", -30.0),
    ("dark", -180.0),
)
NEEDS = ("tbp_lv_Lext", "tbp_lv_Bext")


def typology_angle() -> pl.Expr:
    """Individual typology angle of the skin around a lesion in degrees, null where a colour is missing."""
    return pl.map_batches(NEEDS, _angle, return_dtype=pl.Float64)


def _angle(colours: Sequence[pl.Series]) -> pl.Series:
    lightness, yellow = (colour.cast(pl.Float64).to_numpy() for colour in colours)
    return pl.Series(individual_typology_angle(lightness, yellow), nan_to_null=True)


def skin_tone() -> pl.Expr:
    """The class of the typology angle, null where a colour is missing.

    Source: Del Bino and Bernerd, Br J Dermatol 169 (suppl. 3):33, 2013: above 55, 41, 28, 10 and -30 degrees.
    """
    angle, (lightest, above) = typology_angle(), CLASSES[0]
    named = pl.when(angle.is_null()).then(None).when(angle > above).then(pl.lit(lightest))
    for name, low in CLASSES[1:-1]:
        named = named.when(angle > low).then(pl.lit(name))
    return named.otherwise(pl.lit(CLASSES[-1][0]))
