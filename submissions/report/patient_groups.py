"""How the fairness section divides lesions: each division is one column of group names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import polars as pl

from submissions.report.skin_tone import CLASSES, NEEDS, skin_tone

NOT_STATED = "not stated"
_BANDS = (40, 50, 60, 70)


@dataclass(frozen=True)
class Division:
    """One way to divide lesions.

    Attributes:
        name: Name in JSON.
        label: Name for a reader.
        needs: The columns of the canonical frame that it needs.
        group: Makes the expression for each lesion's group name; null if not stated.
        order: Groups in their natural order; the others follow by name.
        note: What a reader must know to interpret it.
    """

    name: str
    label: str
    needs: tuple[str, ...]
    group: Callable[[], pl.Expr]
    order: tuple[str, ...] = ()
    note: str = ""


def _column(name: str) -> Callable[[], pl.Expr]:
    return lambda: pl.col(name)


def age_band() -> pl.Expr:
    """Ten-year bands of the age at imaging, open at both ends; null if the age is."""
    age, (lowest, *labels) = pl.col("age_approx"), _band_labels()
    named = pl.when(age.is_null()).then(None).when(age < _BANDS[0]).then(pl.lit(lowest))
    for label, end in zip(labels, _BANDS[1:], strict=False):
        named = named.when(age < end).then(pl.lit(label))
    return named.otherwise(pl.lit(labels[-1]))


def _band_labels() -> list[str]:
    inner = [f"{low} to {high - 1}" for low, high in pairwise(_BANDS)]
    return [f"under {_BANDS[0]}", *inner, f"{_BANDS[-1]} and over"]


DIVISIONS: tuple[Division, ...] = (
    Division("sex", "Sex", ("sex",), _column("sex")),
    Division("age", "Age in years", ("age_approx",), age_band, tuple(_band_labels())),
    Division("site", "Body site", ("anatom_site_general",), _column("anatom_site_general")),
    Division("hospital", "Hospital", ("attribution",), _column("attribution")),
    Division(
        "tile",
        "Tile type",
        ("tbp_tile_type",),
        _column("tbp_tile_type"),
        note="Lighting of the source image: white or cross-polarised (XP).",
    ),
    Division(
        "skin",
        "Skin tone",
        NEEDS,
        skin_tone,
        tuple(name for name, _ in CLASSES),
        "Individual typology angle of the skin around the lesion, in the usual six classes: above 55° very light, "
        "41° light, 28° intermediate, 10° tan, −30° brown, below dark. It is read off the photograph, so lighting "
        "and sun exposure shift it: the published median colour of SLICE-3D falls into brown. Read the classes as an "
        "order from lighter to darker within one cohort, not as Fitzpatrick types, and not as descent.",
    ),
)


def divide(frame: pl.DataFrame, division: Division) -> pl.Series | None:
    """Group of each lesion ("not stated" if missing), or None if the table lacks the columns."""
    if not set(division.needs) <= set(frame.columns):
        return None
    groups = frame.select(division.group().alias(division.name)).to_series()
    return groups.fill_null(NOT_STATED)


def ordered(groups: pl.Series, division: Division) -> list[str]:
    """The groups that occur: in their natural order, then by name, "not stated" last."""
    places = {name: place for place, name in enumerate(division.order)}
    present: list[str] = groups.unique().to_list()
    return sorted(present, key=lambda name: (name == NOT_STATED, places.get(name, len(places)), name))
