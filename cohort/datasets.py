"""The published tables that can be read."""

from __future__ import annotations

from dataclasses import replace

from cohort.columns import SLICE3D
from cohort.dataset import Dataset, Labels, fields_of, one_hot_fields
from cohort.published_columns import (
    BCN20000,
    HAM10000,
    ISIC2018,
    ISIC2019,
    ISIC2020,
    ISIC_ARCHIVE,
    MILK10K,
    ONE_HOT,
    ONE_HOT_2019,
    ONE_HOT_MILK10K,
    PAD_UFES_20,
)

_DERIVED = ("target", "diagnosis")

_SLICE3D = Dataset(
    name="slice3d",
    title="SLICE-3D (ISIC 2024)",
    fields=fields_of(SLICE3D, {}),
    columns=SLICE3D,
    files=("train-metadata", "test-metadata"),
    truth="ISIC_2024_Training_GroundTruth.csv",
    because="`target`: rows whose `iddx_1` is Malignant; Indeterminate is benign. Kurtansky et al., Sci Data 11:884",
)
_ISIC2020 = Dataset(
    name="isic2020",
    title="ISIC 2020 (SIIM-ISIC)",
    fields=fields_of(ISIC2020, {"isic_id": "image_name", "anatom_site_general": "anatom_site_general_challenge"}),
    columns=ISIC2020,
    files=("ISIC_2020_Training_GroundTruth_v2", "ISIC_2020_Training_GroundTruth", "ISIC_2020_Test_Metadata"),
    because="`target`: melanoma alone, by histology. Rotemberg et al., Sci Data 8:34, 2021",
)
_ARCHIVE = Dataset(
    name="isic_archive",
    title="an export of the ISIC archive",
    fields=fields_of(ISIC_ARCHIVE, {"anatom_site_general": "anatom_site_1"}, without=("target",)),
    columns=ISIC_ARCHIVE,
    files=(),
    because="`diagnosis_1` is Malignant; Benign and Indeterminate (actinic keratosis among them) are benign, as in "
    "SLICE-3D; rows without it have no label. The archive itself",
    labels=Labels(("diagnosis_1",), ("malignant",), ("benign", "indeterminate"), ("",)),
    patients=("patient_id", "lesion_id", "isic_id"),
    marks=("isic_id", "diagnosis_1"),
)

DATASETS: tuple[Dataset, ...] = (
    _SLICE3D,
    replace(
        _SLICE3D,
        title="ISIC 2024 as ISIC publishes it",
        fields=fields_of(SLICE3D, {"target": "malignant"}),
        files=("metadata",),
        because="`malignant` of the ground truth, which is joined: the same rows as `target` of SLICE-3D",
        marks=("isic_id", "malignant"),
    ),
    _ISIC2020,
    replace(
        _ISIC2020,
        title="the test metadata of ISIC 2020",
        fields=fields_of(ISIC2020, {"isic_id": "image", "patient_id": "patient"}),
        files=(),
        because="nothing: it has no labels",
        marks=("image", "patient"),
    ),
    Dataset(
        name="ham10000",
        title="HAM10000",
        fields=fields_of(
            HAM10000,
            {
                "isic_id": "image_id",
                "patient_id": "lesion_id",
                "diagnosis": "dx",
                "age_approx": "age",
                "anatom_site_general": "localization",
                "attribution": "dataset",
            },
            without=("target",),
            optional=("attribution",),
        ),
        columns=HAM10000,
        files=("HAM10000_metadata",),
        because="mel, bcc, akiec (actinic keratosis and Bowen's disease). Tschandl et al., Sci Data 5:180161, 2018",
        labels=Labels(("diagnosis",), ("mel", "bcc", "akiec"), ("bkl", "df", "nv", "vasc")),
    ),
    Dataset(
        name="isic2018",
        title="ISIC 2018 task 3 ground truth",
        fields=(*fields_of(ISIC2018[:1], {"isic_id": "image"}), *one_hot_fields(ONE_HOT)),
        columns=ISIC2018,
        files=("ISIC2018_Task3_Training_GroundTruth",),
        because="MEL, BCC, AKIEC, as in HAM10000",
        labels=Labels(ONE_HOT, ("mel", "bcc", "akiec")),
    ),
    Dataset(
        name="isic2019",
        title="ISIC 2019",
        fields=(
            *fields_of(ISIC2019, {"isic_id": "image"}, without=(*_DERIVED, "patient_id")),
            *one_hot_fields(ONE_HOT_2019, required=False),
        ),
        columns=ISIC2019,
        files=("ISIC_2019_Training_Metadata", "ISIC_2019_Test_Metadata"),
        truth="ISIC_2019_Training_GroundTruth.csv",
        because="MEL, BCC, SCC and AK (actinic keratosis), the last as part of the AKIEC of 2018; UNK has no label. "
        "Tschandl 2018, Codella 2018, Combalia 2019",
        labels=Labels(ONE_HOT_2019, ("mel", "bcc", "ak", "scc"), unknown=("unk",)),
        patients=("lesion_id", "isic_id"),
    ),
    _ARCHIVE,
    replace(
        _ARCHIVE,
        title="an export of the ISIC archive with anatom_site_general",
        because="the same",
        fields=fields_of(ISIC_ARCHIVE, {}, without=("target",)),
        marks=("isic_id", "diagnosis_1", "anatom_site_general"),
    ),
    replace(
        _ARCHIVE,
        title="an export of the ISIC archive of before 2025",
        because="`benign_malignant` is malignant; indeterminate/malignant has no label. The archive itself",
        fields=fields_of(ISIC_ARCHIVE, {"diagnosis_1": "benign_malignant"}, without=("target",)),
        labels=Labels(
            ("diagnosis_1",),
            ("malignant",),
            ("benign", "indeterminate", "indeterminate/benign"),
            ("", "indeterminate/malignant"),
        ),
        marks=("isic_id", "benign_malignant"),
    ),
    Dataset(
        name="pad_ufes_20",
        title="PAD-UFES-20",
        fields=fields_of(
            PAD_UFES_20,
            {
                "isic_id": "img_id",
                "age_approx": "age",
                "sex": "gender",
                "anatom_site_general": "region",
                "clin_size_long_diam_mm": "diameter_1",
                "diagnosis": "diagnostic",
            },
            without=("target",),
        ),
        columns=PAD_UFES_20,
        files=("metadata",),
        because="BCC, MEL and SCC (Bowen's disease among them), the skin cancers; ACK, NEV and SEK are benign. "
        "Pacheco et al., Data in Brief 32:106221, 2020",
        labels=Labels(("diagnosis",), ("bcc", "mel", "scc"), ("ack", "nev", "sek")),
        ids_are_files=True,
    ),
    Dataset(
        name="milk10k",
        title="MILK10k (ISIC 2025)",
        fields=(
            *fields_of(
                MILK10K,
                {"patient_id": "lesion_id", "anatom_site_general": "site"},
                without=_DERIVED,
            ),
            *one_hot_fields(ONE_HOT_MILK10K, required=False),
        ),
        columns=MILK10K,
        files=("MILK10k_Training_Metadata", "MILK10k_Test_Metadata"),
        truth="MILK10k_Training_GroundTruth.csv",
        because="AKIEC, BCC, MAL_OTH, MEL and SCCKA of the ground truth, which is joined. ISIC, MILK10k, 2025",
        labels=Labels(ONE_HOT_MILK10K, ("akiec", "bcc", "mal_oth", "mel", "sccka")),
        marks=("isic_id", "skin_tone_class"),
    ),
    Dataset(
        name="bcn20000",
        title="BCN20000",
        fields=fields_of(BCN20000, {"isic_id": "bcn_filename"}, without=("target", "patient_id")),
        columns=BCN20000,
        files=("bcn_20k_train", "bcn_20k_test"),
        because="MEL, BCC, SCC and AK, as in ISIC 2019. Hernandez-Perez et al., Sci Data 11:641, 2024",
        labels=Labels(("diagnosis",), ("mel", "bcc", "ak", "scc"), ("nv", "bkl", "df", "vasc"), ("",)),
        patients=("lesion_id", "isic_id"),
        ids_are_files=True,
    ),
)
"""In order of preference, if a table could be several."""
