"""What each column of a lesion table is: dtype, unit, plausible range, meaning, and whether a model may ever see it.

The order of `SLICE3D` is the order of the official `train-metadata.csv`. Meanings and units follow the description of
SLICE-3D (Kurtansky et al., Sci Data 11:884, 2024). `low` and `high` are bounds by definition where a column has any
(a share, an angle, a vendor score), otherwise a generous hull of all 401,059 published rows: a value outside is worth
a finding, never a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

Role = Literal["key", "patient", "label", "train_only", "licence", "constant", "numeric", "category"]


@dataclass(frozen=True)
class Column:
    """One column of a lesion table.

    Attributes:
        name: Canonical name; SLICE-3D's own wherever it has the thing.
        dtype: Type in the canonical frame.
        unit: Unit of a number; empty for text and for pure numbers.
        low: Smallest plausible value, inclusive; None for text.
        high: Largest plausible value, inclusive; None for text.
        description: What it says about the lesion.
        role: "numeric" and "category" may become features, the other roles never.
        in_test: Whether the official test table has it.
    """

    name: str
    dtype: pl.DataType
    unit: str
    low: float | None
    high: float | None
    description: str
    role: Role
    in_test: bool


def _number(name: str, unit: str, low: float, high: float, description: str) -> Column:
    return Column(name, pl.Float64(), unit, low, high, description, "numeric", in_test=True)


def _text(name: str, description: str, role: Role = "category") -> Column:
    return Column(name, pl.String(), "", None, None, description, role, in_test=role != "train_only")


def _after_biopsy(name: str, description: str) -> Column:
    return _text(name, description, "train_only")


def _train_only(column: Column) -> Column:
    return replace(column, role="train_only", in_test=False)


TARGET = Column("target", pl.Int8(), "", 0, 1, "1 malignant, 0 benign or indeterminate", "label", in_test=False)

SLICE3D: tuple[Column, ...] = (
    _text("isic_id", "key of the lesion and of its crop", "key"),
    TARGET,
    _text("patient_id", "patient; all lesions of one patient stay together", "patient"),
    _number("age_approx", "years", 0, 85, "age at imaging, in bins of 5 years, capped at 85"),
    _text("sex", "male or female"),
    _text("anatom_site_general", "body site: head/neck, upper or lower extremity, anterior or posterior torso"),
    _number("clin_size_long_diam_mm", "mm", 0, 50, "longest diameter"),
    _text("image_type", 'constant "TBP tile: close-up"', "constant"),
    _text("tbp_tile_type", 'lighting of the source image: "3D: white" or "3D: XP" (cross-polarised)'),
    _number("tbp_lv_A", "CIELAB a*", -20, 70, "red-green inside the lesion"),
    _number("tbp_lv_Aext", "CIELAB a*", -20, 70, "red-green of the surrounding skin"),
    _number("tbp_lv_B", "CIELAB b*", -20, 80, "yellow-blue inside"),
    _number("tbp_lv_Bext", "CIELAB b*", -20, 80, "yellow-blue outside"),
    _number("tbp_lv_C", "CIELAB chroma", 0, 100, "chroma inside, hypot(A, B)"),
    _number("tbp_lv_Cext", "CIELAB chroma", 0, 100, "chroma outside, hypot(Aext, Bext)"),
    _number("tbp_lv_H", "degrees", -180, 180, "hue angle inside, atan2(B, A); 25 is red, 75 is brown"),
    _number("tbp_lv_Hext", "degrees", -180, 180, "hue angle outside, atan2(Bext, Aext)"),
    _number("tbp_lv_L", "CIELAB L*", 0, 100, "lightness inside"),
    _number("tbp_lv_Lext", "CIELAB L*", 0, 100, "lightness outside"),
    _number("tbp_lv_areaMM2", "mm²", 0, 500, "area"),
    _number("tbp_lv_area_perim_ratio", "", 10, 120, "border jaggedness, perimeter² / area; about 4π for a disc"),
    _number("tbp_lv_color_std_mean", "", 0, 15, "colour irregularity: spread of colour within the border"),
    _number("tbp_lv_deltaA", "CIELAB a*", -40, 50, "contrast inside minus outside, A - Aext"),
    _number("tbp_lv_deltaB", "CIELAB b*", -40, 40, "contrast inside minus outside, B - Bext"),
    _number("tbp_lv_deltaL", "CIELAB L*", -80, 20, "contrast inside minus outside, L - Lext"),
    _number("tbp_lv_deltaLB", "CIELAB", 0, 80, "contrast of lightness and yellow-blue together"),
    _number(
        "tbp_lv_deltaLBnorm", "", 0, 50, "contrast against the immediate surrounding; low values are faint lesions"
    ),
    _number("tbp_lv_eccentricity", "", 0, 1, "0 a circle, 1 a line"),
    _text("tbp_lv_location", "body location, 20 fine levels; divides limbs into upper and lower, torso into thirds"),
    _text("tbp_lv_location_simple", "body location, 7 coarse levels"),
    _number("tbp_lv_minorAxisMM", "mm", 0, 40, "smallest diameter"),
    _number("tbp_lv_nevi_confidence", "%", 0, 100, "the vendor network's confidence that the lesion is a nevus"),
    _number("tbp_lv_norm_border", "", 0, 10, "border irregularity: jaggedness and asymmetry"),
    _number("tbp_lv_norm_color", "", 0, 10, "colour variation: colour asymmetry and irregularity"),
    _number("tbp_lv_perimeterMM", "mm", 0, 200, "perimeter"),
    _number("tbp_lv_radial_color_std_max", "", 0, 20, "colour asymmetry: spread of colour in concentric rings"),
    _number("tbp_lv_stdL", "CIELAB L*", 0, 30, "standard deviation of lightness inside"),
    _number("tbp_lv_stdLExt", "CIELAB L*", 0, 40, "standard deviation of lightness outside"),
    _number("tbp_lv_symm_2axis", "", 0, 1, "border asymmetry about the second principal axis; published as 0 to 10"),
    _number("tbp_lv_symm_2axis_angle", "degrees", 0, 180, "angle of the axis of border asymmetry, in steps of 5"),
    _number("tbp_lv_x", "mm", -1500, 1500, "position on the 3D body model, left to right"),
    _number("tbp_lv_y", "mm", -2500, 2500, "position on the 3D body model, feet to head"),
    _number("tbp_lv_z", "mm", -1000, 1000, "position on the 3D body model, back to front"),
    _text("attribution", "institution that took the image"),
    _text("copyright_license", "licence of the image", "licence"),
    _after_biopsy("lesion_id", "lesions tagged by hand as of interest; every malignant lesion has one"),
    _after_biopsy("iddx_full", "diagnosis, all levels joined by ::"),
    _after_biopsy("iddx_1", "diagnosis, first level: Benign, Indeterminate or Malignant"),
    _after_biopsy("iddx_2", "diagnosis, second level"),
    _after_biopsy("iddx_3", "diagnosis, third level"),
    _after_biopsy("iddx_4", "diagnosis, fourth level"),
    _after_biopsy("iddx_5", "diagnosis, fifth level"),
    _after_biopsy("mel_mitotic_index", "mitotic index of an invasive melanoma, as text such as <1/mm^2"),
    _train_only(_number("mel_thick_mm", "mm", 0, 20, "Breslow thickness of a melanoma")),
    _train_only(_number("tbp_lv_dnn_lesion_confidence", "%", 0, 100, "the vendor's confidence in a lesion")),
)

ISIC2020: tuple[Column, ...] = (
    _text("isic_id", "key of the image (image_name in the file)", "key"),
    _text("patient_id", "patient", "patient"),
    _after_biopsy("lesion_id", "lesion; version 2 of the ground truth only"),
    _text("sex", "male or female"),
    _number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    _text("anatom_site_general", "body site (anatom_site_general_challenge in the file)"),
    _after_biopsy("diagnosis", "diagnosis; unknown where a benign lesion was not biopsied"),
    _after_biopsy("benign_malignant", "the target in words"),
    TARGET,
)

HAM10000: tuple[Column, ...] = (
    _text(
        "patient_id",
        "the lesion (lesion_id in the file): no patients are published, images of a lesion stay together",
        "patient",
    ),
    _text("isic_id", "key of the image (image_id in the file)", "key"),
    _after_biopsy("diagnosis", "diagnosis in 7 classes (dx in the file): akiec, bcc, bkl, df, mel, nv, vasc"),
    _after_biopsy("dx_type", "how the diagnosis was confirmed: histo, follow_up, consensus or confocal"),
    _number("age_approx", "years", 0, 90, "age at imaging (age in the file), in bins of 5 years"),
    _text("sex", "male or female"),
    _text("anatom_site_general", "body site (localization in the file)"),
    _text("attribution", "source of the image (dataset in the file), where the file has it"),
    TARGET,
)

ISIC2018: tuple[Column, ...] = (
    _text("isic_id", "key of the image (image in the file)", "key"),
    _text(
        "patient_id", "the lesion, from the lesion groupings; the image itself where it was read ungrouped", "patient"
    ),
    _after_biopsy("diagnosis", "diagnosis in 7 classes, from the one-hot columns: akiec, bcc, bkl, df, mel, nv, vasc"),
    TARGET,
)

ONE_HOT = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
"""The diagnosis columns of the ISIC 2018 ground truth, in official order."""

TRAIN_COLUMNS = tuple(column.name for column in SLICE3D)
"""The 55 columns of SLICE-3D's train table, in official order."""
TEST_COLUMNS = tuple(column.name for column in SLICE3D if column.in_test)
"""The 44 columns of SLICE-3D's test table, in official order."""
NUMERIC = tuple(column.name for column in SLICE3D if column.role == "numeric")
"""The 34 numbers a model may see."""
CATEGORICAL = tuple(column.name for column in SLICE3D if column.role == "category")
"""The 6 categories a model may see."""
TBP_NUMERIC = tuple(name for name in NUMERIC if name.startswith("tbp_lv_"))
"""The 32 measurements of the total body photography system."""

_EVERY = (*SLICE3D, *ISIC2020, *HAM10000, *ISIC2018)
TRAIN_ONLY = frozenset(column.name for column in _EVERY if column.role == "train_only")
"""Columns that only labelled tables have; they follow from the diagnosis."""
_OTHER_NAMES = ("image_name", "image_id", "image", "dx", "diagnosis_confirm_type", "group", "fold", "row")
NEVER_FEATURES = frozenset(
    (*(column.name for column in _EVERY if column.role not in {"numeric", "category"}), *_OTHER_NAMES, *ONE_HOT)
)
"""Names that may never become a feature: labels, what follows from them, ids, patients, licence text, constants.

With them go the names that other files give these things, and what this project itself adds next to the features.
"""
