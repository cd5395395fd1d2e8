"""What networks are taught, and the recipes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import ValidationError

from engine.errors import InputError
from image_embeddings.labels import make_labels
from image_embeddings.presets import PRESETS, Preset, changed, for_backbone, preset_named

FRAME = pl.DataFrame(
    {
        "isic_id": [f"ISIC_{place}" for place in range(6)],
        "target": pl.Series([0, 0, 1, 1, 1, 0], dtype=pl.Int8),
        "lesion_id": [None, "IL_1", "IL_2", "IL_3", "IL_4", None],
        "iddx_full": [
            "Benign",
            "Benign::Nevus",
            "Malignant::Malignant melanocytic proliferations (Melanoma)::Melanoma in situ",
            "Malignant::Malignant adnexal epithelial proliferations - Follicular::Basal cell carcinoma",
            "Malignant::Malignant epidermal proliferations::Squamous cell carcinoma",
            "Benign",
        ],
        "clin_size_long_diam_mm": [2.0, None, 8.0, None, None, None],
        "anatom_site_general": ["torso", None, "arm", "arm", None, None],
    }
)


def test_binary_classes() -> None:
    labels = make_labels(FRAME, "binary")
    assert labels.classes.names == ("benign", "malignant")
    assert labels.classes.malignant == (False, True)
    assert labels.index.tolist() == [0, 0, 1, 1, 1, 0]


def test_slice3d_diagnosis_classes_put_the_benign_first() -> None:
    labels = make_labels(FRAME, "diagnosis")
    assert labels.classes.names == ("benign", "tagged benign", "basal cell", "melanocytic", "other malignant")
    assert labels.classes.malignant == (False, False, True, True, True)
    assert labels.index.tolist() == [0, 1, 3, 2, 4, 0]


def test_ham10000_diagnosis_classes() -> None:
    frame = pl.DataFrame({"target": [1, 0, 0, 1], "diagnosis": ["mel", "nv", "bkl", "bcc"]})
    labels = make_labels(frame, "diagnosis")
    assert labels.classes.names == ("bkl", "nv", "bcc", "mel")
    assert labels.classes.malignant == (False, False, True, True)


def test_without_diagnosis_columns_only_the_target_is_known() -> None:
    labels = make_labels(FRAME.select("isic_id", "target"), "diagnosis")
    assert labels.classes.names == ("benign", "other malignant")
    assert labels.sites == ()
    assert (labels.site == -1).all()


def test_auxiliary_targets() -> None:
    labels = make_labels(FRAME, "binary")
    # log 2 and log 8 standardise to -1 and 1.
    np.testing.assert_allclose(labels.log_diameter[[0, 2]], [-1, 1], rtol=1e-6)
    assert np.isnan(labels.log_diameter[[1, 3, 4, 5]]).all()
    assert labels.sites == ("arm", "torso")
    assert labels.site.tolist() == [1, -1, 0, 0, -1, -1]


def test_a_table_without_labels_is_refused() -> None:
    with pytest.raises(InputError, match="no column target"):
        make_labels(FRAME.drop("target"), "binary")


def test_the_named_presets_are_there() -> None:
    wanted = {
        "edgenext_base",
        "eva02_small_336",
        "convnextv2_nano",
        "vit_tiny",
        "efficientnet_b0",
        "tiny",
        "resnet50_vgg",
    }
    assert wanted <= set(PRESETS)
    assert all(preset.source and preset.weights for preset in PRESETS.values())


def test_the_report_preset_is_the_report() -> None:
    preset = PRESETS["resnet50_vgg"]
    assert (preset.malignant_weight, preset.learning_rate, preset.optimizer, preset.patience) == (10, 1e-5, "adam", 20)
    assert preset.clahe
    assert preset.frozen_stages == 3


def test_the_winning_presets_are_what_their_entries_published() -> None:
    # The entries' code: Adam 1e-4 with decay 1e-6, batches of 32, half of them malignant; AdamW 1e-4, 30 epochs in
    # which each malignant lesion is seen twice next to as many benign ones.
    for name, size in (("edgenext_base", 256), ("eva02_small_336", 336), ("efficientnet_b0", 384)):
        preset = PRESETS[name]
        assert (preset.size, preset.optimizer, preset.learning_rate, preset.weight_decay) == (size, "adam", 1e-4, 1e-6)
        assert (preset.batch_size, preset.benign_ratio, preset.malignant_copies, preset.drop_rate) == (32, 1, 1, 0)
    for name, decay in (("convnextv2_nano", 1e-2), ("vit_tiny", 1e-3)):
        preset = PRESETS[name]
        assert (preset.size, preset.optimizer, preset.learning_rate, preset.weight_decay) == (224, "adamw", 1e-4, decay)
        assert (preset.epochs, preset.benign_ratio, preset.malignant_copies, preset.warmup) == (30, 2, 2, 0.05)


def test_what_is_ours_is_a_setting() -> None:
    for preset in PRESETS.values():
        assert set(preset.ours) <= set(Preset.model_fields)


def test_the_document_lists_the_presets() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "images.md").read_text("utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]
    listed = {row[0].strip("`"): (row[1], row[2], row[4]) for row in rows if len(row) == 5}
    ours = {
        name: "every setting" if preset.source.endswith("every setting is ours") else ", ".join(preset.ours)
        for name, preset in PRESETS.items()
    }
    assert listed == {name: (preset.backbone, str(preset.size), ours[name]) for name, preset in PRESETS.items()}


def test_an_unknown_preset_names_its_neighbour() -> None:
    with pytest.raises(InputError, match="did you mean efficientnet_b0"):
        preset_named("eficientnet_b0")


def test_settings_change_as_text_of_their_type() -> None:
    preset = changed(PRESETS["tiny"], {"size_weight": "0.1", "epochs": 7, "clip_norm": "none", "clahe": "true"})
    assert (preset.size_weight, preset.epochs, preset.clip_norm, preset.clahe) == (0.1, 7, None, True)
    assert changed(PRESETS["tiny"], {"flips": "4"}).flips == 4
    with pytest.raises(InputError, match="flips = '3'"):
        changed(PRESETS["tiny"], {"flips": "3"})
    with pytest.raises(InputError, match="did you mean size_weight"):
        changed(PRESETS["tiny"], {"size_wait": "0.1"})
    with pytest.raises(InputError, match=r"epochs = 0.*greater than or equal to 1"):
        changed(PRESETS["tiny"], {"epochs": 0})


def test_any_backbone_has_a_recipe_and_a_typing_error_none() -> None:
    assert for_backbone("regnety_002", size=96).size == 96
    with pytest.raises(ValidationError, match="extra"):
        Preset(name="x", source="x", backbone="x", weights="x", size=1, epoch=3)
