"""Skin tone from the skin around a lesion: the individual typology angle and its six classes."""

from __future__ import annotations

import polars as pl

#: Lower end of each class in degrees, the lightest first; above it, to the next.
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
    r"""Individual typology angle in degrees, $\mathrm{atan2}(L^* - 50, b^*) \cdot 180 / \pi$; null where a colour is.

    Higher is lighter. The arctangent of two arguments differs from the published $\arctan((L^* - 50) / b^*)$ only
    where $b^* \le 0$, which skin does not have.

    Source: Chardon, Cretois and Hourseau, Int J Cosmet Sci 13:191, 1991.
    """
    return pl.arctan2(pl.col(NEEDS[0]) - 50.0, pl.col(NEEDS[1])).degrees()


def skin_tone() -> pl.Expr:
    """The class of the typology angle, null where a colour is missing.

    Source: Del Bino and Bernerd, Br J Dermatol 169 (suppl. 3):33, 2013: above 55, 41, 28, 10 and -30 degrees.
    """
    angle, (lightest, above) = typology_angle(), CLASSES[0]
    named = pl.when(angle.is_null()).then(None).when(angle > above).then(pl.lit(lightest))
    for name, low in CLASSES[1:-1]:
        named = named.when(angle > low).then(pl.lit(name))
    return named.otherwise(pl.lit(CLASSES[-1][0]))
