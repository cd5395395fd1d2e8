"""`[data] images`: the image stage inside a run, and its model applied to new crops."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

from cohort.reading import read_cohort
from submissions.fitted_run import FittedRun
from tests.uglyduck.conftest import PICTURED, Command, some_wheel
from uglyduck.run.run import open_run
from uglyduck.studies.export import files_to_score


def submission(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema={"isic_id": pl.String, "target": pl.Float64})


def metrics(run: Path) -> dict[str, dict[str, dict[str, dict[str, float]]]]:
    return dict(json.loads((run / "metrics.json").read_text())["scores"])


def test_each_lesion_has_an_image_score_out_of_the_runs_own_folds(pictured: Path) -> None:
    scores = pl.read_parquet(pictured / "run/images/descriptors/oof.parquet")
    folds = pl.read_parquet(pictured / "run/folds.parquet")
    assert scores["isic_id"].equals(folds["isic_id"])
    assert scores["score"].null_count() == 0
    assert pl.read_parquet(pictured / "run/images/descriptors/folds.parquet").equals(folds)


def test_the_scores_feed_the_image_features(pictured: Path) -> None:
    built = pl.read_parquet(pictured / "run/features.parquet", columns=["isic_id", "image_score", "image_score_rank"])
    both = built.join(pl.read_parquet(pictured / "run/images/descriptors/oof.parquet"), on="isic_id", validate="1:1")
    np.testing.assert_array_equal(both["image_score"], both["score"].cast(pl.Float32))
    listed = json.loads((pictured / "run/features.json").read_text())
    assert listed["groups"] == ["basic", "tbp", "image.score", "image.relative"]
    assert "image_score_rank" in {feature["name"] for feature in listed["features"]}


def test_the_image_score_alone_is_measured_beside_the_others(pictured: Path) -> None:
    scores, oof = metrics(pictured / "run"), pl.read_parquet(pictured / "run/images/descriptors/oof.parquet")
    malignant = pl.read_parquet(pictured / "run/folds.parquet")["target"] == 1
    score = oof["score"].to_numpy()
    auc = np.mean(score[malignant][:, None] > score[~malignant][None, :])
    assert scores["image"]["pooled"]["auc"]["estimate"] == pytest.approx(auc)
    assert auc > 0.6


def test_a_run_of_crops_alone_has_no_table_alone_beside_it(pictured: Path, tmp_path: Path, command: Command) -> None:
    alone = PICTURED.replace('["basic", "tbp"]', '["image"]').replace('"data/', f'"{pictured}/data/')
    (tmp_path / "alone.toml").write_text(alone)
    command("run", tmp_path / "alone.toml", "--out", tmp_path / "run")
    assert set(metrics(tmp_path / "run")) >= {"lightgbm", "xgboost", "blend", "image"}
    assert "table" not in metrics(tmp_path / "run")
    assert "no learner sees the table alone" in command("hospitals", tmp_path / "run").stdout
    call = ("predict", tmp_path / "run", "--metadata", pictured / "data/test-metadata.csv")
    done = command(*call, "--out", tmp_path / "submission.csv", check=False)
    assert done.returncode == 2
    assert "sees crops alone" in done.stderr
    command(*call, "--out", tmp_path / "submission.csv", "--images", pictured / "data/test-image.hdf5")
    assert submission(tmp_path / "submission.csv")["target"].n_unique() > 100


def test_a_second_start_trains_nothing(pictured: Path, command: Command) -> None:
    done = command("run", pictured / "pictured.toml", "--out", pictured / "run")
    assert done.stderr.count("unchanged") == 7


def test_other_folds_train_other_image_models(pictured: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(pictured / "run", tmp_path / "run")
    shutil.copytree(pictured / "data", tmp_path / "data")
    (tmp_path / "other.toml").write_text(PICTURED.replace("n_folds = 2", "n_folds = 2\nseed = 1"))
    command("run", tmp_path / "other.toml", "--out", tmp_path / "run", "--until", "images")
    before, after = ((folder / "run/images/descriptors/fold0.npz").read_bytes() for folder in (pictured, tmp_path))
    assert before != after
    # The first model is kept, and taken back when it is wanted again.
    (kept,) = (tmp_path / "run/images.kept").iterdir()
    assert (kept / "fold0.npz").read_bytes() == before
    (tmp_path / "pictured.toml").write_text(PICTURED)
    command("run", tmp_path / "pictured.toml", "--out", tmp_path / "run", "--until", "images")
    assert (tmp_path / "run/images/descriptors/fold0.npz").read_bytes() == before
    (kept,) = (tmp_path / "run/images.kept").iterdir()
    assert (kept / "fold0.npz").read_bytes() == after
    # Only `clean` deletes.
    size = sum(path.stat().st_size for path in kept.iterdir())
    said = command("clean", tmp_path / "run", "--dry-run").stdout.replace("\n", "")
    assert f"would delete {kept}: an image model, {size:,} bytes" in said
    assert kept.is_dir()
    assert "deleted" in command("clean", tmp_path / "run").stdout
    assert not kept.exists()
    assert command("clean", tmp_path / "run").stdout == "nothing to delete\n"


def test_without_crops_the_image_model_is_no_artifact_of_the_run_any_more(
    pictured: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(pictured / "run", tmp_path / "run")
    shutil.copytree(pictured / "data", tmp_path / "data")
    (tmp_path / "table.toml").write_text(PICTURED.replace('images = "data/train-image.hdf5"', ""))
    command("run", tmp_path / "table.toml", "--out", tmp_path / "run")
    assert (tmp_path / "run/images/descriptors/fold0.npz").is_file()
    assert not [name for name in files_to_score(open_run(tmp_path / "run")) if name.startswith("images/")]
    assert "run/images/descriptors: an image model" in command("clean", tmp_path / "run").stdout.replace("\n", "")
    assert not (tmp_path / "run/images/descriptors").exists()
    found = json.loads(command("check", tmp_path / "run", "--json", "--all", check=False).stdout)
    assert {one["code"]: one["status"] for one in found["findings"]}["UD204"] == "clear"
    assert files_to_score(open_run(tmp_path / "run"))


def test_a_truth_table_trains_and_deletes_no_image_model(pictured: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(pictured / "run", tmp_path / "run")
    shutil.copytree(pictured / "data", tmp_path / "data")
    truth = PICTURED.replace("[folds]", 'truth = "data/truth.parquet"\n[folds]')
    (tmp_path / "truth.toml").write_text(truth)
    made = (tmp_path / "run/images/descriptors/fold0.npz").stat().st_mtime_ns
    command("run", tmp_path / "truth.toml", "--out", tmp_path / "run", "--until", "images")
    assert (tmp_path / "run/images/descriptors/fold0.npz").stat().st_mtime_ns == made
    assert not (tmp_path / "run/images.kept").exists()


def test_what_the_manifest_does_not_know_is_not_trained_again(pictured: Path, tmp_path: Path, command: Command) -> None:
    shutil.copytree(pictured / "run", tmp_path / "run")
    shutil.copytree(pictured / "data", tmp_path / "data")
    (tmp_path / "pictured.toml").write_text(PICTURED)
    manifest = json.loads((tmp_path / "run/manifest.json").read_text())
    manifest["stages"]["images"]["fingerprint"] = "of other code"
    (tmp_path / "run/manifest.json").write_text(json.dumps({**manifest, "sha256": None}))
    made = (tmp_path / "run/images/descriptors/oof.parquet").stat().st_mtime_ns
    done = command("run", tmp_path / "pictured.toml", "--out", tmp_path / "run", "--until", "images")
    assert "images    unchanged" not in done.stderr
    assert (tmp_path / "run/images/descriptors/oof.parquet").stat().st_mtime_ns == made
    assert not (tmp_path / "run/images.kept").exists()


def test_networks_hand_their_embeddings_to_the_features_of_training_and_new_lesions(
    pictured: Path, tmp_path: Path, command: Command
) -> None:
    text = PICTURED.replace('"data/', f'"{pictured}/data/') + '[images.tiny]\npreset = "tiny"\nset = { epochs = 1 }\n'
    (tmp_path / "tiny.toml").write_text(text.replace('"tbp"]', '"tbp", "image"]'))
    command("run", tmp_path / "tiny.toml", "--out", tmp_path / "run")
    built = pl.read_parquet(tmp_path / "run/features.parquet")
    named = [name for name in built.columns if name.startswith("image_embedding_")]
    assert len(named) == 3
    assert built.select(named).null_count().sum_horizontal()[0] == 0
    run = open_run(tmp_path / "run")
    lesions = read_cohort(pictured / "data/test-metadata.csv").frame
    fitted = run.fitted()
    images = fitted.image_table(lesions["isic_id"], crops=pictured / "data/test-image.hdf5")
    assert images is not None
    assert images.columns == ["isic_id", "score", "embedding_fold0", "embedding_fold1"]
    new = pl.concat(fitted.features(lesions, images))
    assert new.select(named).null_count().sum_horizontal()[0] == 0
    command("bundle", tmp_path / "run", "--out", tmp_path / "bundle", "--user", "jane", "--wheel", some_wheel(tmp_path))
    bundled = FittedRun.load(tmp_path / "bundle/run", run.compute)
    assert bundled.score(lesions, images).equals(fitted.score(lesions, images))


def predict(command: Command, pictured: Path, out: Path, *more: str | Path) -> tuple[pl.DataFrame, str]:
    table = pictured / "data/test-metadata.csv"
    done = command("predict", pictured / "run", "--metadata", table, "--out", out, *more)
    return submission(out), done.stderr


def test_new_crops_are_scored_by_the_mean_of_the_fold_models(pictured: Path, tmp_path: Path, command: Command) -> None:
    images = pictured / "data/test-image.hdf5"
    with_crops, said = predict(command, pictured, tmp_path / "a.csv", "--images", images)
    assert "150 crops scored, 0 missing" in said
    table = tmp_path / "scores.parquet"
    command("images", "apply", pictured / "run/images/descriptors", "--images", images, "--out", table, "--cores", "1")
    from_table, _ = predict(command, pictured, tmp_path / "b.csv", "--image-scores", table)
    assert with_crops.equals(from_table)


def test_without_crops_the_table_alone_is_scored_and_one_line_says_so(
    pictured: Path, tmp_path: Path, command: Command
) -> None:
    _, said = predict(command, pictured, tmp_path / "a.csv")
    assert said.count("no crops: ") == 1
    assert "image_score" not in said


def test_a_broken_and_an_absent_crop_count_as_missing(pictured: Path, tmp_path: Path, command: Command) -> None:
    whole, _ = predict(command, pictured, tmp_path / "a.csv", "--images", pictured / "data/test-image.hdf5")
    shutil.copy(pictured / "data/test-image.hdf5", tmp_path / "broken.hdf5")
    absent, cut = whole["isic_id"][0], whole["isic_id"][1]
    with h5py.File(tmp_path / "broken.hdf5", "r+") as file:
        del file[absent]
        data = file[cut][()]
        del file[cut]
        file[cut] = np.bytes_(data[: len(data) // 2])
    scored, said = predict(command, pictured, tmp_path / "b.csv", "--images", tmp_path / "broken.hdf5")
    assert "148 crops scored, 2 missing" in said
    assert scored["target"].is_between(0, 1).all()
    patients = pl.read_csv(pictured / "data/test-metadata.csv", columns=["isic_id", "patient_id"])
    touched = patients.filter(pl.col("isic_id").is_in([absent, cut]))["patient_id"].implode()
    others = patients.filter(~pl.col("patient_id").is_in(touched))["isic_id"].implode()
    assert scored.filter(pl.col("isic_id").is_in(others)).equals(whole.filter(pl.col("isic_id").is_in(others)))
    assert not scored.equals(whole)


def test_crops_of_which_none_can_be_read_all_count_as_missing(pictured: Path, tmp_path: Path, command: Command) -> None:
    with h5py.File(tmp_path / "none.hdf5", "w") as file:
        file["ISIC_0"] = np.bytes_(b"no image")
    _, said = predict(command, pictured, tmp_path / "a.csv", "--images", tmp_path / "none.hdf5")
    assert "0 crops scored, 150 missing" in said
    assert "no images given" not in said
    assert "150 of 150 lesions have no crop (" in said
    assert "and 147 more); the nearest names there are 'ISIC_0'" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--images", "none.hdf5"), "no such file or folder"),
        (("--images", "x.hdf5", "--image-scores", "y.parquet"), "both crops and a table of their scores"),
        (("--image-scores", "none.parquet"), "none.parquet: no such file"),
    ],
)
def test_wrong_images_are_one_line_and_status_2(
    pictured: Path, tmp_path: Path, command: Command, arguments: tuple[str, ...], message: str
) -> None:
    table, out = pictured / "data/test-metadata.csv", tmp_path / "a.csv"
    done = command("predict", pictured / "run", "--metadata", table, "--out", out, *arguments, check=False)
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not out.exists()


def test_a_run_of_tables_alone_refuses_crops(finished: Path, pictured: Path, tmp_path: Path, command: Command) -> None:
    table, images = pictured / "data/test-metadata.csv", pictured / "data/test-image.hdf5"
    call = ("predict", finished, "--metadata", table, "--images", images, "--out", tmp_path / "a.csv")
    done = command(*call, check=False)
    assert done.returncode == 2
    assert "this run has no image model" in done.stderr


def test_images_and_their_scores_can_not_both_be_configured(tmp_path: Path, command: Command) -> None:
    (tmp_path / "both.toml").write_text('[data]\nmetadata = "a.csv"\nimages = "b.hdf5"\nimage_scores = "c.parquet"\n')
    done = command("run", tmp_path / "both.toml", check=False)
    assert done.returncode == 2
    assert "both images and image_scores" in done.stderr
