"""What each column of a lesion table is: dtype, unit, plausible range, meaning, and whether a model may ever see it.

The order of `SLICE3D` is the order of the official `train-metadata.csv`. Meanings and units follow the description of
SLICE-3D (Kurtansky et al., Sci Data 11:884, 2024). `low` and `high` are bounds by definition if a column has any
(a share, an angle, a vendor score), otherwise a generous hull of all 401,059 published rows: a value outside earns
a finding, never a refusal.
"""

from __future__ import annotations

from cohort.column import TARGET, Column, after_biopsy, number, text, train_only
from cohort.published_columns import ONE_HOT, ONE_HOT_2019, ONE_HOT_MILK10K, PUBLISHED

SLICE3D: tuple[Column, ...] = (
    text("isic_id", "key of the lesion and of its crop", "key"),
    TARGET,
    text("patient_id", "patient; all lesions of one patient stay together", "patient"),
    number("age_approx", "years", 0, 85, "age at imaging, in bins of 5 years, capped at 85"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site: head/neck, upper or lower extremity, anterior or posterior torso"),
    number("clin_size_long_diam_mm", "mm", 0, 50, "longest diameter"),
    text("image_type", 'constant "TBP tile: close-up"', "constant"),
    text("tbp_tile_type", 'lighting of the source image: "3D: white" or "3D: XP" (cross-polarised)'),
    number("tbp_lv_A", "CIELAB a*", -20, 70, "red-green inside the lesion"),
    number("tbp_lv_Aext", "CIELAB a*", -20, 70, "red-green of the surrounding skin"),
    number("tbp_lv_B", "CIELAB b*", -20, 80, "yellow-blue inside"),
    number("tbp_lv_Bext", "CIELAB b*", -20, 80, "yellow-blue outside"),
    number("tbp_lv_C", "CIELAB chroma", 0, 100, "chroma inside, hypot(A, B)"),
    number("tbp_lv_Cext", "CIELAB chroma", 0, 100, "chroma outside, hypot(Aext, Bext)"),
    number("tbp_lv_H", "degrees", -180, 180, "hue angle inside, atan2(B, A); 25 is red, 75 is brown"),
    number("tbp_lv_Hext", "degrees", -180, 180, "hue angle outside, atan2(Bext, Aext)"),
    number("tbp_lv_L", "CIELAB L*", 0, 100, "lightness inside"),
    number("tbp_lv_Lext", "CIELAB L*", 0, 100, "lightness outside"),
    number("tbp_lv_areaMM2", "mm²", 0, 500, "area"),
    number("tbp_lv_area_perim_ratio", "", 10, 120, "border jaggedness, perimeter² / area; about 4π for a disc"),
    number("tbp_lv_color_std_mean", "", 0, 15, "colour irregularity: spread of colour within the border"),
    number("tbp_lv_deltaA", "CIELAB a*", -40, 50, "contrast inside minus outside, A - Aext"),
    number("tbp_lv_deltaB", "CIELAB b*", -40, 40, "contrast inside minus outside, B - Bext"),
    number("tbp_lv_deltaL", "CIELAB L*", -80, 20, "contrast inside minus outside, L - Lext"),
    number("tbp_lv_deltaLB", "CIELAB", 0, 80, "contrast of lightness and yellow-blue together"),
    number("tbp_lv_deltaLBnorm", "", 0, 50, "contrast against the immediate surrounding; low values are faint lesions"),
    number("tbp_lv_eccentricity", "", 0, 1, "0 a circle, 1 a line"),
    text("tbp_lv_location", "body location, 20 fine levels; divides limbs into upper and lower, torso into thirds"),
    text("tbp_lv_location_simple", "body location, 7 coarse levels"),
    number("tbp_lv_minorAxisMM", "mm", 0, 40, "smallest diameter"),
    number("tbp_lv_nevi_confidence", "%", 0, 100, "the vendor network's confidence that the lesion is a nevus"),
    number("tbp_lv_norm_border", "", 0, 10, "border irregularity: jaggedness and asymmetry"),
    number("tbp_lv_norm_color", "", 0, 10, "colour variation: colour asymmetry and irregularity"),
    number("tbp_lv_perimeterMM", "mm", 0, 200, "perimeter"),
    number("tbp_lv_radial_color_std_max", "", 0, 20, "colour asymmetry: spread of colour in concentric rings"),
    number("tbp_lv_stdL", "CIELAB L*", 0, 30, "standard deviation of lightness inside"),
    number("tbp_lv_stdLExt", "CIELAB L*", 0, 40, "standard deviation of lightness outside"),
    number("tbp_lv_symm_2axis", "", 0, 1, "border asymmetry about the second principal axis; published as 0 to 10"),
    number("tbp_lv_symm_2axis_angle", "degrees", 0, 180, "angle of the axis of border asymmetry, in steps of 5"),
    number("tbp_lv_x", "mm", -1500, 1500, "position on the 3D body model, left to right"),
    number("tbp_lv_y", "mm", -2500, 2500, "position on the 3D body model, feet to head"),
    number("tbp_lv_z", "mm", -1000, 1000, "position on the 3D body model, front to back"),
    text("attribution", "institution that took the image"),
    text("copyright_license", "licence of the image", "licence"),
    after_biopsy("lesion_id", "lesions tagged by hand as of interest; every malignant lesion has one"),
    after_biopsy("iddx_full", "diagnosis, all levels joined by ::"),
    after_biopsy("iddx_1", "diagnosis, first level: Benign, Indeterminate or Malignant"),
    after_biopsy("iddx_2", "diagnosis, second level"),
    after_biopsy("iddx_3", "diagnosis, third level"),
    after_biopsy("iddx_4", "diagnosis, fourth level"),
    after_biopsy("iddx_5", "diagnosis, fifth level"),
    after_biopsy("mel_mitotic_index", "mitotic index of an invasive melanoma, as text such as <1/mm^2"),
    train_only(number("mel_thick_mm", "mm", 0, 20, "Breslow thickness of a melanoma")),
    train_only(number("tbp_lv_dnn_lesion_confidence", "%", 0, 100, "the vendor's confidence in a lesion")),
)

TEST_COLUMNS = tuple(column.name for column in SLICE3D if column.in_test)
"""The 44 columns of SLICE-3D's test table, in official order."""
NUMERIC = tuple(column.name for column in SLICE3D if column.role == "numeric")
"""The 34 numbers a model may see."""
CATEGORICAL = tuple(column.name for column in SLICE3D if column.role == "category")
"""The 6 categories a model may see."""

_EVERY = (*SLICE3D, *PUBLISHED)
_OTHER_NAMES = (
    *(
        "image_name",
        "image_id",
        "image",
        "img_id",
        "bcn_filename",
        "dx",
        "diagnostic",
        "malignant",
        "group",
        "fold",
        "row",
    ),
    *ONE_HOT_2019,
    *ONE_HOT_MILK10K,
)
NEVER_FEATURES = frozenset(
    (*(column.name for column in _EVERY if column.role not in {"numeric", "category"}), *_OTHER_NAMES, *ONE_HOT)
)
"""Names that may never become a feature: labels, what follows from them, ids, patients, licence text, constants.

So are the names that other files give these, and the columns that this project adds next to the features.
"""
