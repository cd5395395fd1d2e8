"""The columns of the published tables other than SLICE-3D; see `cohort.columns`."""

from __future__ import annotations

from cohort.column import CATEGORY, NUMBER, TARGET, Column, after_biopsy, number, text, train_only

ISIC2020: tuple[Column, ...] = (
    text("isic_id", "key of the image (image_name in the file)", "key"),
    text("patient_id", "patient", "patient"),
    after_biopsy("lesion_id", "lesion; version 2 of the ground truth only"),
    text("sex", "male or female"),
    number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    text("anatom_site_general", "body site (anatom_site_general_challenge in the file)"),
    after_biopsy("diagnosis", "diagnosis; unknown where a benign lesion was not biopsied"),
    after_biopsy("benign_malignant", "the target in words"),
    TARGET,
)

HAM10000: tuple[Column, ...] = (
    text(
        "patient_id",
        "the lesion (lesion_id in the file): no patients are published, images of a lesion stay together",
        "patient",
    ),
    text("isic_id", "key of the image (image_id in the file)", "key"),
    after_biopsy("diagnosis", "diagnosis in 7 classes (dx in the file): akiec, bcc, bkl, df, mel, nv, vasc"),
    after_biopsy("dx_type", "how the diagnosis was confirmed: histo, follow_up, consensus or confocal"),
    number("age_approx", "years", 0, 90, "age at imaging (age in the file), in bins of 5 years"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site (localization in the file)"),
    text("attribution", "source of the image (dataset in the file), where the file has it"),
    TARGET,
)

ISIC2018: tuple[Column, ...] = (
    text("isic_id", "key of the image (image in the file)", "key"),
    text(
        "patient_id", "the lesion, from the lesion groupings; the image itself where it was read ungrouped", "patient"
    ),
    after_biopsy("diagnosis", "diagnosis in 7 classes, from the one-hot columns: akiec, bcc, bkl, df, mel, nv, vasc"),
    TARGET,
)

ONE_HOT = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
"""The diagnosis columns of the ISIC 2018 ground truth, in official order."""
ONE_HOT_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
"""Those of ISIC 2019."""
ONE_HOT_MILK10K = ("AKIEC", "BCC", "BEN_OTH", "BKL", "DF", "INF", "MAL_OTH", "MEL", "NV", "SCCKA", "VASC")
"""Those of MILK10k."""

ISIC2019: tuple[Column, ...] = (
    text("isic_id", "key of the image (image in the file)", "key"),
    text("patient_id", "the lesion, for no patients are published; the image where no lesion is given", "patient"),
    after_biopsy("lesion_id", "lesion; empty for 2,084 of the 25,331 training images"),
    number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site"),
    after_biopsy("diagnosis", "diagnosis in 9 classes, from the one-hot columns; unk is none of the other 8"),
    TARGET,
)

ISIC_ARCHIVE: tuple[Column, ...] = (
    text("isic_id", "key of the image", "key"),
    text("patient_id", "patient; where none is given the lesion, where that is not given either the image", "patient"),
    after_biopsy("lesion_id", "lesion"),
    number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site, the first of five levels; earlier exports have one level of other words"),
    number("clin_size_long_diam_mm", "mm", 0, 200, "longest diameter"),
    text("tbp_tile_type", "lighting of a total body photograph"),
    text("attribution", "institution that took the image"),
    text(f"{CATEGORY}fitzpatrick_skin_type", "Fitzpatrick skin type, I to VI"),
    text(f"{CATEGORY}personal_hx_mm", "whether the patient had a melanoma before"),
    text(f"{CATEGORY}family_hx_mm", "whether a relative had a melanoma"),
    text("copyright_license", "licence of the image", "licence"),
    text("image_type", "how the image was taken; it tells the collection, and so the label", "constant"),
    *(after_biopsy(f"diagnosis_{level}", f"diagnosis, level {level}") for level in range(1, 6)),
    after_biopsy("diagnosis", "diagnosis, in exports of before 2025"),
    after_biopsy("diagnosis_confirm_type", "how the diagnosis was confirmed"),
    after_biopsy("concomitant_biopsy", "whether a biopsy was taken"),
    after_biopsy("melanocytic", "whether the lesion is melanocytic"),
    after_biopsy("nevus_type", "kind of a nevus"),
    *(after_biopsy(f"mel_{what}", f"of a melanoma: its {what}") for what in ("class", "type", "ulcer")),
    after_biopsy("mel_mitotic_index", "mitotic index of an invasive melanoma, as text such as <1/mm^2"),
    train_only(number("mel_thick_mm", "mm", 0, 50, "Breslow thickness of a melanoma")),
    TARGET,
)

PAD_UFES_20: tuple[Column, ...] = (
    text("patient_id", "patient", "patient"),
    after_biopsy("lesion_id", "lesion; 17 numbers are used for two patients"),
    text("isic_id", "key of the image (img_id in the file, without .png)", "key"),
    number("age_approx", "years", 0, 120, "age (age in the file)"),
    text("sex", "male or female (gender in the file)"),
    text("anatom_site_general", "body site, 14 levels (region in the file)"),
    number("clin_size_long_diam_mm", "mm", 0, 200, "diameter (diameter_1 in the file, nearly always the longer one)"),
    number(f"{NUMBER}diameter_2", "mm", 0, 200, "the other diameter"),
    number(f"{NUMBER}fitspatrick", "", 1, 6, "Fitzpatrick skin type"),
    *(
        text(f"{CATEGORY}{sign}", f"whether the patient says that the lesion {words}")
        for sign, words in {
            "itch": "itches",
            "grew": "grew lately",
            "hurt": "hurts",
            "changed": "changed lately",
            "bleed": "bleeds",
            "elevation": "is raised",
        }.items()
    ),
    *(
        text(f"{CATEGORY}{habit}", f"whether the patient {words}")
        for habit, words in {
            "smoke": "smokes",
            "drink": "drinks",
            "pesticide": "works with pesticides",
            "skin_cancer_history": "had skin cancer before",
            "cancer_history": "or a relative had cancer before",
        }.items()
    ),
    after_biopsy("biopsed", "whether a biopsy was taken; every malignant lesion has one"),
    after_biopsy("diagnosis", "diagnosis in 6 classes (diagnostic in the file)"),
    TARGET,
)

_MONET = {
    "ulceration_crust": "ulceration or crust",
    "hair": "hair",
    "vasculature_vessels": "vessels",
    "erythema": "redness",
    "pigmented": "pigment",
    "gel_water_drop_fluid_dermoscopy_liquid": "gel or drops",
    "skin_markings_pen_ink_purple_pen": "pen marks",
}
MILK10K: tuple[Column, ...] = (
    text("isic_id", "key of the image; a close-up and a dermoscopic image of each lesion", "key"),
    text("patient_id", "the lesion (lesion_id in the file): no patients are published", "patient"),
    number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site (site in the file)"),
    text(f"{CATEGORY}image_type", "close-up or dermoscopic; every lesion has both"),
    number(f"{NUMBER}skin_tone_class", "", 0, 5, "skin tone, 0 very dark to 5 very light"),
    *(number(f"{NUMBER}MONET_{name}", "", 0, 1, f"score of MONET for {words}") for name, words in _MONET.items()),
    text("attribution", "institution that took the image"),
    text("copyright_license", "licence of the image", "licence"),
    text("image_manipulation", "whether the image was altered", "constant"),
    after_biopsy("diagnosis", "diagnosis in 11 classes, from the one-hot columns of the ground truth"),
    after_biopsy("diagnosis_full", "diagnosis in words, from the supplement"),
    after_biopsy("diagnosis_confirm_type", "how the diagnosis was confirmed, from the supplement"),
    after_biopsy("invasion_thickness_interval", "Breslow thickness of a melanoma, from the supplement"),
    TARGET,
)

BCN20000: tuple[Column, ...] = (
    text("isic_id", "key of the image (bcn_filename in the file, without .jpg)", "key"),
    text("patient_id", "the lesion, for no patients are published; the image where no lesion is given", "patient"),
    after_biopsy("lesion_id", "lesion"),
    number("age_approx", "years", 0, 90, "age at imaging, in bins of 5 years"),
    text("sex", "male or female"),
    text("anatom_site_general", "body site"),
    after_biopsy("diagnosis", "diagnosis in 8 classes; empty in the test table"),
    text("capture_date", "day of the image", "constant"),
    text("split", "train or test", "constant"),
    TARGET,
)

PUBLISHED = (*ISIC2020, *HAM10000, *ISIC2018, *ISIC2019, *ISIC_ARCHIVE, *PAD_UFES_20, *MILK10K, *BCN20000)
"""Every column of every published table other than SLICE-3D."""
