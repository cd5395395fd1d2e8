"""Two image models in one run: their scores side by side, blended to the one that is shown, and applied together."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.reading import read_cohort
from cv_folds.metrics import partial_auc
from submissions.bundle import scoring
from tests.uglyduck.conftest import PICTURED, Command, digests, some_wheel
from uglyduck.run.run import open_run

TWO = """
[images.descriptors]
[images.net]
preset = "tiny"
set = { epochs = 1 }
device = "cpu"
"""
NAMES = ["descriptors", "net"]


@dataclass(frozen=True)
class Pair:
    """A run with two image models, and what was said when it was made."""

    run: Path
    data: Path
    said: str


@pytest.fixture(scope="module")
def pair(pictured: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> Pair:
    folder = tmp_path_factory.mktemp("pair")
    # The descriptors are those of the run with one model: they are there.
    shutil.copytree(pictured / "run/images", folder / "run/images")
    text = PICTURED.replace('"data/', f'"{pictured}/data/').replace('"tbp"]', '"tbp", "image"]')
    (folder / "two.toml").write_text(text + TWO)
    done = command("run", folder / "two.toml", "--out", folder / "run")
    return Pair(folder / "run", pictured / "data", done.stderr)


def submission(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema={"isic_id": pl.String, "target": pl.Float64})


def test_the_scores_of_both_are_features_side_by_side(pair: Pair, pictured: Path) -> None:
    assert digests(pair.run / "images/descriptors") == digests(pictured / "run/images/descriptors")
    table = pl.read_parquet(pair.run / "images/scores.parquet")
    assert table.columns == ["isic_id", "descriptors", "net", "embedding_of_net"]
    built = pl.read_parquet(pair.run / "features.parquet")
    for name in NAMES:
        own = pl.read_parquet(pair.run / "images" / name / "oof.parquet")
        assert table[name].equals(own["score"])
        np.testing.assert_array_equal(built[f"image_{name}"], own["score"].cast(pl.Float32))
        assert f"image_{name}_rank" in built.columns
    assert built["image_net_embedding_distance"].null_count() == 0
    listed = {spec["name"]: spec["group"] for spec in json.loads((pair.run / "features.json").read_text())["features"]}
    assert {listed[f"image_{name}_z"] for name in NAMES} == {"image"}


def test_one_image_score_is_shown_and_each_is_measured(pair: Pair) -> None:
    oof = pl.read_parquet(pair.run / "oof.parquet")
    scores = json.loads((pair.run / "metrics.json").read_text())["scores"]
    assert list(scores) == [
        "lightgbm",
        "xgboost",
        "crops",
        "blend",
        "table",
        "image",
        *(f"image_{name}" for name in NAMES),
    ]
    for name in ("image", "image_descriptors", "image_net"):
        pauc = partial_auc(oof["target"].to_numpy(), oof[name].to_numpy())
        assert scores[name]["pooled"]["pauc"]["estimate"] == pytest.approx(pauc)
    weights = json.loads((pair.run / "image-blend.json").read_text())["weights"]
    assert list(weights) == NAMES
    assert min(weights.values()) >= 0
    assert not oof["image"].equals(oof["image_descriptors"])


def test_what_both_say_of_a_lesion_does_not_depend_on_the_others(pair: Pair, tmp_path: Path, command: Command) -> None:
    crops = pair.data / "test-image.hdf5"
    done = command(
        *("predict", pair.run, "--metadata", pair.data / "test-metadata.csv"),
        *("--images", crops, "--out", tmp_path / "whole.csv"),
    )
    assert "150 crops scored by descriptors, net, 0 missing" in done.stderr
    lesions = pl.read_csv(pair.data / "test-metadata.csv", infer_schema=False)
    some = lesions["patient_id"].unique().sort()[::3]
    lesions.filter(pl.col("patient_id").is_in(some.implode())).write_csv(tmp_path / "some.csv")
    command(
        *("predict", pair.run, "--metadata", tmp_path / "some.csv"),
        *("--images", crops, "--out", tmp_path / "part.csv"),
    )
    whole, part = submission(tmp_path / "whole.csv"), submission(tmp_path / "part.csv")
    assert 0 < part.height < whole.height
    assert part.equals(part.select("isic_id").join(whole, on="isic_id", maintain_order="left"))


def test_a_table_with_a_column_for_each_model_scores_as_the_crops_do(pair: Pair, tmp_path: Path) -> None:
    run = open_run(pair.run)
    lesions, fitted = read_cohort(pair.data / "test-metadata.csv").frame, run.fitted()
    images = fitted.image_table(lesions["isic_id"], crops=pair.data / "test-image.hdf5")
    assert images is not None
    assert images.columns == ["isic_id", *NAMES, "embedding_of_net_fold0", "embedding_of_net_fold1"]
    images.write_parquet(tmp_path / "scores.parquet")
    again = fitted.image_table(lesions["isic_id"], scored=tmp_path / "scores.parquet")
    assert fitted.score(lesions, again).equals(fitted.score(lesions, images))
    shown = fitted.image_score(images)
    assert shown is not None
    assert shown["score"].is_between(0, 1).all()
    assert fitted.lacking(lesions, images).columns == ()
    part = fitted.lacking(lesions, images.drop(NAMES[0]))
    assert part.columns == ("image scores",)
    assert 0 < part.share < 1


def test_the_bundle_applies_them_all(pair: Pair, tmp_path: Path, command: Command) -> None:
    command("bundle", pair.run, "--out", tmp_path / "bundle", "--wheel", some_wheel(tmp_path))
    assert json.loads((tmp_path / "bundle/MANIFEST.json").read_text())["images"] is True
    carried = {path.relative_to(tmp_path / "bundle/run").as_posix() for path in (tmp_path / "bundle/run").rglob("*")}
    assert {"image-blend.json", "images/models.json", "images/descriptors/fold1.npz"} <= carried
    assert "images/net/fold1.safetensors" in carried
    assert not [name for name in carried if name.endswith(".parquet")]
    assert "torch==" in (tmp_path / "bundle/requirements.txt").read_text()
    new = ("--metadata", pair.data / "test-metadata.csv", "--images", pair.data / "test-image.hdf5")
    command("predict", pair.run, *new, "--out", tmp_path / "at-home.csv")
    for out, more in (("packed.csv", []), ("without.csv", ["--without", "net"])):
        scoring.main([str(each) for each in (tmp_path / "bundle/run", *new, "--out", tmp_path / out, *more)])
    assert (tmp_path / "packed.csv").read_bytes() == (tmp_path / "at-home.csv").read_bytes()
    # Without the weaker one the scores are others, and mean much the same.
    both, one = (submission(tmp_path / name)["target"] for name in ("packed.csv", "without.csv"))
    assert not one.equals(both)
    assert np.corrcoef(one, both)[0, 1] > 0.8


def test_lists_name_the_image_score_of_both(pair: Pair, tmp_path: Path, command: Command) -> None:
    shutil.copytree(pair.run, tmp_path / "run")
    for arguments in ((), ("--metadata", pair.data / "test-metadata.csv", "--images", pair.data / "test-image.hdf5")):
        command("rank", tmp_path / "run", *arguments, "--out", tmp_path / "ranking.parquet")
        ranked = pl.read_parquet(tmp_path / "ranking.parquet")
        assert ranked["reason"].null_count() == 0
        assert "image:score" in ranked["unusual_in"].to_list()


def test_their_blend_is_what_is_measured_under_other_light(pair: Pair, tmp_path: Path, command: Command) -> None:
    shutil.copytree(pair.run, tmp_path / "run")
    done = command("robustness", tmp_path / "run", "--lesions", "40", "--json")
    rows = json.loads(done.stdout)["rows"]
    # Which of several models should see equalised contrast is not asked.
    assert {row["score"] for row in rows} == {"image", "blend"}
    assert not (tmp_path / "run/images-twin").exists()


def test_a_crop_that_one_of_them_cannot_read_is_no_crop(pair: Pair) -> None:
    from submissions.image_models import ImageModel, side_by_side

    models = [ImageModel(name, name) for name in NAMES]
    first = pl.DataFrame({"isic_id": ["a", "b", "c"], "score": [0.1, None, 0.3]})
    second = first.with_columns(score=pl.Series([0.4, 0.5, None]), embedding=pl.Series([[1.0], [2.0], None]))
    joined = side_by_side([first, second], models)
    assert joined.rows() == [("a", 0.1, 0.4, [1.0]), ("b", None, None, None), ("c", None, None, None)]
    with pytest.raises(ValueError, match="other lesions"):
        side_by_side([first, second[::-1]], models)
