"""`uglyduck images` from end to end on simulated crops."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.stores.protocol import CropError
from cv_folds.folds import Folds, make_folds
from cv_folds.metrics import partial_auc, roc_auc
from engine.errors import InputError
from engine.locks import locked
from image_embeddings.arrays import load_model
from image_embeddings.descriptors import model
from tests.image_embeddings.conftest import run

FAST = ["--cores", "1"]


@pytest.fixture(scope="module", autouse=True)
def few_trees(module_patch: pytest.MonkeyPatch) -> None:
    module_patch.setattr(model.DescriptorModel.fit.__func__, "__kwdefaults__", {"seed": 0, "threads": 1, "trees": 20})


@pytest.fixture(scope="module")
def module_patch() -> pytest.MonkeyPatch:  # type: ignore[misc]
    with pytest.MonkeyPatch.context() as patch:
        yield patch  # type: ignore[misc]


@pytest.fixture(scope="module")
def trained(crops: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    out = tmp_path_factory.mktemp("model") / "descriptor-model"
    text = run("train", "--metadata", crops.metadata, "--images", crops.images, "--out", out, "--json", *FAST)
    return SimpleNamespace(folder=out, figures=json.loads(text))


def test_training_leaves_a_whole_folder(trained: SimpleNamespace) -> None:
    names = {path.name for path in trained.folder.iterdir()}
    parts = {f"fold{fold}.npz" for fold in range(5)}
    assert parts | {"spec.json", "folds.parquet", "oof.parquet", "metrics.json", "contact.png"} <= names


def test_every_lesion_is_scored_once_by_a_model_that_never_saw_it(
    trained: SimpleNamespace, crops: SimpleNamespace
) -> None:
    oof, folds = pl.read_parquet(trained.folder / "oof.parquet"), Folds.read(trained.folder / "folds.parquet").frame
    assert oof.columns == ["isic_id", "score"]
    assert sorted(oof["isic_id"]) == sorted(crops.frame["isic_id"])
    described = pl.read_parquet(trained.folder / "descriptors.parquet")
    for fold in range(5):
        held = folds.filter(pl.col("fold") == fold)["isic_id"].to_list()
        own = load_model(trained.folder / f"fold{fold}.npz", model.DescriptorModel, "a descriptor model")
        rows = described.filter(pl.col("isic_id").is_in(held))
        expected = dict(zip(rows["isic_id"], 1 / (1 + np.exp(-own.log_odds(rows))), strict=True))
        scored = oof.filter(pl.col("isic_id").is_in(held))
        np.testing.assert_allclose(scored["score"], [expected[name] for name in scored["isic_id"]], rtol=1e-9)


def test_the_figures_are_those_of_the_scores(trained: SimpleNamespace, crops: SimpleNamespace) -> None:
    both = pl.read_parquet(trained.folder / "oof.parquet").join(crops.frame, on="isic_id")
    target, score = both["target"].to_numpy(), both["score"].to_numpy()
    pooled = trained.figures["scores"]["image"]["pooled"]
    assert pooled["pauc"]["estimate"] == pytest.approx(partial_auc(target, score))
    assert pooled["auc"]["estimate"] == pytest.approx(roc_auc(target, score))
    assert pooled["auc"]["estimate"] > 0.9
    assert pooled["auc"]["low"] <= pooled["auc"]["estimate"] <= pooled["auc"]["high"]
    assert trained.figures["unit"] == "patient"
    assert trained.figures["ungrouped"] is False


def test_the_same_seed_is_the_same_model(trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path) -> None:
    run("train", "--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m", *FAST)
    assert pl.read_parquet(tmp_path / "m" / "oof.parquet").equals(pl.read_parquet(trained.folder / "oof.parquet"))
    specs = [json.loads((folder / "spec.json").read_text()) for folder in (trained.folder, tmp_path / "m")]
    assert specs[0] == specs[1]


@pytest.mark.parametrize("name", ["oof.parquet", "folds.parquet"])
def test_a_table_that_was_changed_is_not_believed_and_is_made_again(
    name: str, trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "model"))
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match=f"{name}: changed since training. train the model again"):
        run("compare", folder)
    before = (folder / "fold0.npz").stat().st_mtime_ns
    run("train", "--metadata", crops.metadata, "--images", crops.images, "--out", folder, *FAST)
    assert (folder / name).read_bytes() == whole
    assert (folder / "fold0.npz").stat().st_mtime_ns == before  # nothing else was made again


@pytest.mark.parametrize("name", ["oof.parquet", "folds.parquet"])
def test_a_table_that_is_not_there_is_named(name: str, trained: SimpleNamespace, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(trained.folder, tmp_path / "model"))
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"{name}: missing. start the same training again"):
        run("compare", folder)
    spec = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps(spec | {"files": {}, "tables": {}}))
    with pytest.raises(InputError, match=f"{name}: training has not ended"):
        run("compare", folder)


def test_two_trainings_in_one_folder_are_kept_apart(crops: SimpleNamespace, tmp_path: Path) -> None:
    with locked(tmp_path), pytest.raises(InputError, match=f"another process works here .process {os.getpid()} on "):
        run("train", "--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path, *FAST)


def test_a_folder_with_another_model_is_not_overwritten(trained: SimpleNamespace, crops: SimpleNamespace) -> None:
    with pytest.raises(InputError, match="another model"):
        run(
            "train", "--metadata", crops.metadata, "--images", crops.images, "--out", trained.folder, "--seed", 1, *FAST
        )


def test_frozen_folds_are_used(crops: SimpleNamespace, tmp_path: Path) -> None:
    frozen = make_folds(crops.frame, n_folds=3, seed=7)
    frozen.write(tmp_path / "folds.parquet")
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m"]
    run("train", *arguments, "--folds", tmp_path / "folds.parquet", *FAST)
    assert Folds.read(tmp_path / "m" / "folds.parquet").sha256 == frozen.sha256


def test_crops_are_scored_without_labels(trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path) -> None:
    run("apply", trained.folder, "--images", crops.images, "--out", tmp_path / "scores.parquet", *FAST)
    scores = pl.read_parquet(tmp_path / "scores.parquet")
    assert scores.columns == ["isic_id", "score"]
    assert scores["isic_id"].to_list() == list(crops.store.ids)
    assert scores["score"].is_between(0, 1).all()
    both = scores.join(crops.frame, on="isic_id")
    assert roc_auc(both["target"].to_numpy(), both["score"].to_numpy()) > 0.9


def test_three_crops_of_a_table_in_its_order(
    trained: SimpleNamespace, crops: SimpleNamespace, draw: SimpleNamespace, tmp_path: Path
) -> None:
    table = crops.frame.drop("target")[[7, 2, 70]]
    draw.write_table(table, tmp_path / "test.csv")
    arguments = ["--images", crops.images, "--metadata", tmp_path / "test.csv", "--out", tmp_path / "s.parquet"]
    answer = json.loads(run("apply", trained.folder, *arguments, "--json", *FAST))
    assert pl.read_parquet(tmp_path / "s.parquet")["isic_id"].to_list() == table["isic_id"].to_list()
    assert answer["crops"] == 3
    assert 0 <= answer["shift"]["ks"] <= 1


def test_a_crop_scores_the_same_in_any_company(
    trained: SimpleNamespace, crops: SimpleNamespace, draw: SimpleNamespace, tmp_path: Path
) -> None:
    table = crops.frame.drop("target")
    scores = []
    for name, rows in (("all", table), ("one", table[5:6])):
        draw.write_table(rows, tmp_path / f"{name}.csv")
        arguments = ["--metadata", tmp_path / f"{name}.csv", "--images", crops.images, "--out", tmp_path / f"{name}.pq"]
        run("apply", trained.folder, *arguments, *FAST)
        scores.append(
            pl.read_parquet(tmp_path / f"{name}.pq").filter(pl.col("isic_id") == table["isic_id"][5])["score"]
        )
    assert scores[0].item() == pytest.approx(scores[1].item(), rel=1e-5)


def truncated(crops: SimpleNamespace, path: Path) -> str:
    """A copy of the crops with one cut short; its id."""
    with h5py.File(crops.images) as whole, h5py.File(path, "w") as copy:
        first = next(iter(whole))
        for name in whole:
            data = bytes(whole[name][()])
            copy[name] = np.bytes_(data[:150] if name == first else data)
    return str(first)


def test_an_unreadable_crop_is_missing_and_counted_when_applying(
    trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    bad = truncated(crops, tmp_path / "x.hdf5")
    arguments = ["--images", tmp_path / "x.hdf5", "--out", tmp_path / "s.parquet"]
    answer = json.loads(run("apply", trained.folder, *arguments, "--json", *FAST))
    assert list(answer["missing"]) == [bad]
    scores = pl.read_parquet(tmp_path / "s.parquet")
    assert scores.filter(pl.col("score").is_null())["isic_id"].to_list() == [bad]
    with pytest.raises(CropError, match=bad):
        run("apply", trained.folder, *arguments, "--on-bad", "stop", *FAST)


def test_an_unreadable_crop_stops_training_or_has_no_score(crops: SimpleNamespace, tmp_path: Path) -> None:
    bad = truncated(crops, tmp_path / "x.hdf5")
    arguments = ["--metadata", crops.metadata, "--images", tmp_path / "x.hdf5", "--n-folds", "2"]
    with pytest.raises(CropError, match=bad):
        run("train", *arguments, "--out", tmp_path / "a", *FAST)
    figures = json.loads(run("train", *arguments, "--out", tmp_path / "b", "--on-bad", "missing", "--json", *FAST))
    assert figures["left_out"] == 1
    oof = pl.read_parquet(tmp_path / "b" / "oof.parquet")
    assert oof.filter(pl.col("score").is_null())["isic_id"].to_list() == [bad]


def test_a_table_without_patients_needs_ungrouped_and_says_so(
    crops: SimpleNamespace, draw: SimpleNamespace, tmp_path: Path
) -> None:
    draw.write_table(crops.frame.drop("patient_id"), tmp_path / "t.csv")
    arguments = ["--metadata", tmp_path / "t.csv", "--images", crops.images, "--n-folds", "2", "--out", tmp_path / "m"]
    with pytest.raises(InputError, match="patient_id"):
        run("train", *arguments, *FAST)
    assert "no patient is known" in run("train", *arguments, "--ungrouped", *FAST)


def test_a_table_needs_an_id_a_label_and_a_patient_and_nothing_else(crops: SimpleNamespace, tmp_path: Path) -> None:
    table = crops.frame.select("isic_id", "patient_id", "target")
    table.write_csv(tmp_path / "three.csv")
    # A column that no image model reads may even hold what it must not.
    table.with_columns(tbp_lv_areaMM2=pl.lit("large")).write_csv(tmp_path / "odd.csv")
    scores = {}
    for name in ("three", "odd"):
        arguments = ["--metadata", tmp_path / f"{name}.csv", "--images", crops.images, "--n-folds", "2"]
        run("train", *arguments, "--out", tmp_path / name, *FAST)
        scores[name] = (tmp_path / name / "oof.parquet").read_bytes()
    assert scores["three"] == scores["odd"]
    for absent, message in (("patient_id", "patient_id is missing"), ("target", "no column target")):
        table.drop(absent).write_csv(tmp_path / "less.csv")
        with pytest.raises(InputError, match=message):
            run("train", "--metadata", tmp_path / "less.csv", "--images", crops.images, "--out", tmp_path / "x", *FAST)


def as_dicom(crops: SimpleNamespace, folder: Path) -> Path:
    """The crops as DICOM files that say what the table says, but for the sex of the first and the age of the last."""
    pydicom = pytest.importorskip("pydicom")
    folder.mkdir()
    rows = crops.frame.to_dicts()
    for row in rows:
        pixels = crops.store.read(row["isic_id"]).pixels
        record = pydicom.Dataset()
        record.file_meta = pydicom.dataset.FileMetaDataset()
        record.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        record.SOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        record.SOPInstanceUID = pydicom.uid.generate_uid()
        record.Rows, record.Columns, record.SamplesPerPixel = *pixels.shape[:2], 3
        record.PhotometricInterpretation, record.PlanarConfiguration = "RGB", 0
        record.BitsAllocated = record.BitsStored = 8
        record.HighBit, record.PixelRepresentation = 7, 0
        record.PixelData = pixels.tobytes()
        record["PixelData"].VR = "OB"
        record.PatientID = row["patient_id"]
        record.PatientSex = "F" if row == rows[0] else row["sex"][0].upper()
        record.PatientAge = "099Y" if row == rows[-1] else f"{row['age_approx']:03.0f}Y"
        record.save_as(folder / f"{row['isic_id']}.dcm", enforce_file_format=True)
    return folder


def test_metadata_in_dicom_files_is_compared_with_the_table(
    crops: SimpleNamespace, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = as_dicom(crops, tmp_path / "d")
    run("train", "--metadata", crops.metadata, "--images", store, "--out", tmp_path / "m", *FAST)
    first, last = crops.frame["isic_id"][0], crops.frame["isic_id"][-1]
    found = pl.read_parquet(tmp_path / "m" / "contradictions.parquet")
    assert found.rows() == [
        (first, "sex", "female", "male"),
        (last, "age_approx", "99.0", str(crops.frame["age_approx"][-1])),
    ]
    assert "contradict the table 2 times" in caplog.text


def test_a_changed_model_file_is_refused(crops: SimpleNamespace, trained: SimpleNamespace, tmp_path: Path) -> None:
    import shutil

    folder = tmp_path / "copy"
    shutil.copytree(trained.folder, folder)
    (folder / "fold3.npz").write_bytes((folder / "fold3.npz").read_bytes() + b"x")
    with pytest.raises(InputError, match=r"fold3\.npz: missing or changed since training"):
        run("apply", folder, "--images", crops.images, "--out", tmp_path / "s.parquet", *FAST)
    with pytest.raises(InputError, match="not a model folder"):
        run("apply", tmp_path, "--images", crops.images, "--out", tmp_path / "s.parquet", *FAST)


def test_a_refit_scores_new_crops_with_one_model(crops: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    arguments = ["--metadata", crops.metadata, "--images", crops.images]
    run("train", *arguments, "--n-folds", "2", "--policy", "refit", "--out", folder, *FAST)
    assert (folder / "all.npz").is_file()
    run("apply", folder, "--images", crops.images, "--out", tmp_path / "s.parquet", *FAST)
    described = pl.read_parquet(folder / "descriptors.parquet").sort("isic_id")
    fitted = load_model(folder / "all.npz", model.DescriptorModel, "a descriptor model")
    expected = 1 / (1 + np.exp(-fitted.log_odds(described)))
    scores = pl.read_parquet(tmp_path / "s.parquet").sort("isic_id")["score"]
    np.testing.assert_allclose(scores, expected, rtol=1e-6)


def test_comparing_models_pairs_them_and_combines(
    trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    other = tmp_path / "other-seed"
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", other]
    run("train", *arguments, "--folds", trained.folder / "folds.parquet", "--seed", 5, *FAST)
    answer = json.loads(run("compare", trained.folder, other, "--out", tmp_path / "both.parquet", "--json"))
    assert list(answer["scores"]) == ["descriptor-model", "other-seed", "combined"]
    difference = answer["differences"]["combined"]["auc"]
    scores = {name: views["pooled"]["auc"]["estimate"] for name, views in answer["scores"].items()}
    assert difference["estimate"] == pytest.approx(scores["combined"] - scores["descriptor-model"])
    both = pl.read_parquet(tmp_path / "both.parquet").join(crops.frame, on="isic_id")
    assert roc_auc(both["target"].to_numpy(), both["score"].to_numpy()) == pytest.approx(scores["combined"])
    assert "minus descriptor-model" in run("compare", trained.folder, other)
    # The two together can also be applied.
    run("apply", trained.folder, other, "--images", crops.images, "--out", tmp_path / "s.parquet", *FAST)
    assert pl.read_parquet(tmp_path / "s.parquet")["score"].is_between(0, 1).all()


def test_models_on_other_folds_are_not_compared(
    trained: SimpleNamespace, crops: SimpleNamespace, tmp_path: Path
) -> None:
    arguments = ["--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m", "--n-folds", "2"]
    run("train", *arguments, *FAST)
    with pytest.raises(InputError, match="trained on other folds"):
        run("compare", trained.folder, tmp_path / "m")


def test_describing(crops: SimpleNamespace, tmp_path: Path) -> None:
    text = run("describe", "--images", crops.images, "--out", tmp_path / "d.parquet", "--cores", "1")
    frame = pl.read_parquet(tmp_path / "d.parquet")
    assert f"{frame.width - 1} descriptors of 80 crops" in text
    assert frame["isic_id"].to_list() == list(crops.store.ids)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (["--preset", "edgnext_base"], "did you mean edgenext_base"),
        (["--preset", "tiny", "--backbone", "resnet18"], "both a preset and a backbone"),
    ],
)
def test_wrong_options_say_how_to_mend_them(
    crops: SimpleNamespace, tmp_path: Path, arguments: list[str], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        run("train", "--metadata", crops.metadata, "--images", crops.images, "--out", tmp_path / "m", *arguments)


def test_every_command_shows_an_example() -> None:
    for name in ("train", "apply", "describe", "compare"):
        assert "Example: " in run(name, "--help")


def test_torch_is_not_imported_for_descriptors(crops: SimpleNamespace, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys; from uglyduck.commands.images import images;"
        f"images(['describe','--images',{str(crops.images)!r},'--out',{str(tmp_path / 'd.pq')!r},'--cores','1'],"
        "standalone_mode=False); assert not {'torch','timm','lightgbm','xgboost','catboost'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
