"""The numbers of a lesion, under the short names that formulas are written with."""

from __future__ import annotations

from dataclasses import dataclass

from cohort.columns import SLICE3D

UNITS = {column.name: column.unit for column in SLICE3D}
"""Unit of each column of the canonical frame."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A number measured on one lesion.

    Attributes:
        column: Name in the canonical frame.
        short: Name in formulas.
        positive: Whether it lives on a ratio scale, so that "twice the patient's median" means something.
    """

    column: str
    short: str
    positive: bool

    @property
    def unit(self) -> str:
        """Unit of the column."""
        return UNITS[self.column]


def _measures() -> tuple[Measure, ...]:
    ratio = (
        "clin_size_long_diam_mm diam, tbp_lv_C C, tbp_lv_Cext Cext, tbp_lv_L L, tbp_lv_Lext Lext, "
        "tbp_lv_areaMM2 area, tbp_lv_area_perim_ratio area_perim_ratio, tbp_lv_color_std_mean color_std_mean, "
        "tbp_lv_deltaLB dLB, tbp_lv_deltaLBnorm dLBnorm, tbp_lv_eccentricity ecc, tbp_lv_minorAxisMM minor, "
        "tbp_lv_nevi_confidence nevi, tbp_lv_norm_border norm_border, tbp_lv_norm_color norm_color, "
        "tbp_lv_perimeterMM perim, tbp_lv_radial_color_std_max radial, tbp_lv_stdL stdL, tbp_lv_stdLExt stdLExt, "
        "tbp_lv_symm_2axis symm"
    )
    interval = (
        "age_approx age, tbp_lv_A A, tbp_lv_Aext Aext, tbp_lv_B B, tbp_lv_Bext Bext, tbp_lv_H H, tbp_lv_Hext Hext, "
        "tbp_lv_deltaA dA, tbp_lv_deltaB dB, tbp_lv_deltaL dL, tbp_lv_symm_2axis_angle symm_angle, "
        "tbp_lv_x x, tbp_lv_y y, tbp_lv_z z"
    )
    short = dict(pair.split() for pair in f"{ratio}, {interval}".split(", "))
    scale = dict(pair.split() for pair in ratio.split(", "))
    order = [column.name for column in SLICE3D if column.name in short]
    return tuple(Measure(column, short[column], column in scale) for column in order)


MEASURES = _measures()
"""The 34 numbers of a SLICE-3D lesion, in the official order."""
COLUMN_OF = {measure.short: measure.column for measure in MEASURES}
"""Canonical column of each short name."""
