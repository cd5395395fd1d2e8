"""The numbers of a lesion, under the short names that formulas use."""

from __future__ import annotations

from cohort.columns import SLICE3D


def _pairs(text: str) -> dict[str, str]:
    return dict(pair.split() for pair in text.split(", "))


_RATIO = _pairs(
    "clin_size_long_diam_mm diam, tbp_lv_C C, tbp_lv_Cext Cext, tbp_lv_L L, tbp_lv_Lext Lext, "
    "tbp_lv_areaMM2 area, tbp_lv_area_perim_ratio area_perim_ratio, tbp_lv_color_std_mean color_std_mean, "
    "tbp_lv_deltaLB dLB, tbp_lv_deltaLBnorm dLBnorm, tbp_lv_eccentricity ecc, tbp_lv_minorAxisMM minor, "
    "tbp_lv_nevi_confidence nevi, tbp_lv_norm_border norm_border, tbp_lv_norm_color norm_color, "
    "tbp_lv_perimeterMM perim, tbp_lv_radial_color_std_max radial, tbp_lv_stdL stdL, tbp_lv_stdLExt stdLExt, "
    "tbp_lv_symm_2axis symm"
)
_INTERVAL = _pairs(
    "age_approx age, tbp_lv_A A, tbp_lv_Aext Aext, tbp_lv_B B, tbp_lv_Bext Bext, tbp_lv_H H, tbp_lv_Hext Hext, "
    "tbp_lv_deltaA dA, tbp_lv_deltaB dB, tbp_lv_deltaL dL, tbp_lv_symm_2axis_angle symm_angle, "
    "tbp_lv_x x, tbp_lv_y y, tbp_lv_z z"
)
_SHORT = _RATIO | _INTERVAL

MEASURED = tuple(column.name for column in SLICE3D if column.name in _SHORT)
"""The 34 measured numbers of a SLICE-3D lesion, in the official order."""
RATIO = frozenset(_RATIO)
"""Those on a ratio scale, so that "twice the patient's median" means something."""
COLUMN_OF = {_SHORT[name]: name for name in MEASURED}
"""Canonical column of each short name."""
