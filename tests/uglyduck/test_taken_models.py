"""`[images.NAME] model`: an image model made elsewhere is copied into the run and applied."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from image_embeddings.spec import Spec
from tests.uglyduck.conftest import PICTURED, Command, digests

TAKEN = PICTURED.replace(', "xgboost"', "").replace("xgboost = { n_trees = 10 }\n", "") + "[images.older]\n"


@dataclass(frozen=True)
class Elsewhere:
    """A model of some patients' crops, and the lesions of the others.

    Attributes:
        model: Its folder.
        config: Of a run on the other patients that takes it.
        run: That run, finished.
        learned_from: isic_id of the lesions that the model was trained on.
    """

    model: Path
    config: Path
    run: Path
    learned_from: set[str]


def configure(folder: Path, pictured: Path, model: Path, metadata: Path) -> Path:
    text = TAKEN.replace('"data/train-metadata.csv"', f'"{metadata}"').replace('"data/', f'"{pictured}/data/')
    path = folder / "taken.toml"
    path.write_text(f'{text}model = "{model}"\n')
    return path


@pytest.fixture(scope="module")
def elsewhere(pictured: Path, tmp_path_factory: pytest.TempPathFactory, command: Command) -> Elsewhere:
    folder = tmp_path_factory.mktemp("elsewhere")
    lesions = pl.read_csv(pictured / "data/train-metadata.csv", infer_schema=False)
    patients = lesions["patient_id"].unique().sort()
    is_there = pl.col("patient_id").is_in(patients[::2].implode())
    lesions.filter(is_there).write_csv(folder / "there.csv")
    lesions.filter(~is_there).write_csv(folder / "here.csv")
    command(
        *("images", "train", "--metadata", folder / "there.csv", "--images", pictured / "data/train-image.hdf5"),
        *("--n-folds", "2", "--replicates", "100", "--out", folder / "older"),
    )
    config = configure(folder, pictured, folder / "older", folder / "here.csv")
    command("run", config, "--out", folder / "run")
    there = set(lesions.filter(is_there)["isic_id"])
    return Elsewhere(folder / "older", config, folder / "run", there)


def test_it_is_copied_without_its_training_lesions_and_scores_those_of_the_run(
    elsewhere: Elsewhere, pictured: Path, tmp_path: Path, command: Command
) -> None:
    copied, own = digests(elsewhere.run / "images/older"), digests(elsewhere.model)
    assert set(copied) == {"spec.json", "fold0.npz", "fold1.npz", "oof.parquet"}
    assert {name: sha256 for name, sha256 in copied.items() if name.startswith("fold")}.items() <= own.items()
    specs = [Spec.read(folder) for folder in (elsewhere.model, elsewhere.run / "images/older")]
    assert specs[0].tables.keys() == {"oof.parquet", "folds.parquet"}
    assert specs[0].model_copy(update={"tables": {}}) == specs[1]
    scores = pl.read_parquet(elsewhere.run / "images/older/oof.parquet")
    lesions = pl.read_parquet(elsewhere.run / "lesions.parquet", columns=["isic_id"])
    assert scores["isic_id"].equals(lesions["isic_id"])
    assert not elsewhere.learned_from & set(scores["isic_id"])
    command(
        *("images", "apply", elsewhere.model, "--images", pictured / "data/train-image.hdf5"),
        *("--ids", elsewhere.run / "lesions.parquet", "--out", tmp_path / "applied.parquet"),
    )
    assert scores.equals(pl.read_parquet(tmp_path / "applied.parquet"))
    assert "image_score" in pl.read_parquet(elsewhere.run / "features.parquet").columns


def test_the_run_scores_new_crops_without_the_folder_it_came_from(
    elsewhere: Elsewhere, pictured: Path, tmp_path: Path, command: Command
) -> None:
    shutil.copytree(elsewhere.run, tmp_path / "run")
    text = (tmp_path / "run/config.toml").read_text()
    (tmp_path / "run/config.toml").write_text(text.replace(str(elsewhere.model), "gone"))
    done = command(
        *("predict", tmp_path / "run", "--metadata", pictured / "data/test-metadata.csv"),
        *("--images", pictured / "data/test-image.hdf5", "--out", tmp_path / "submission.csv"),
    )
    assert "150 crops scored, 0 missing" in done.stderr


def test_a_model_of_lesions_of_the_run_is_refused_and_nothing_is_lost(
    elsewhere: Elsewhere, pictured: Path, tmp_path: Path, command: Command
) -> None:
    config = configure(tmp_path, pictured, elsewhere.model, pictured / "data/train-metadata.csv")
    shutil.copytree(elsewhere.run / "images", tmp_path / "run/images")
    before = digests(tmp_path / "run/images")
    done = command("run", config, "--out", tmp_path / "run", "--until", "images", check=False)
    assert done.returncode == 2
    assert f"it was trained on {len(elsewhere.learned_from)} lesions of this run" in done.stderr.replace("\n", " ")
    assert digests(tmp_path / "run/images") == before


def test_what_was_trained_here_under_its_name_is_kept(elsewhere: Elsewhere, tmp_path: Path, command: Command) -> None:
    here = tmp_path / "run/images/older"
    shutil.copytree(elsewhere.run, tmp_path / "run")
    shutil.rmtree(here)
    trained = elsewhere.config.with_name("trained.toml")
    trained.write_text(elsewhere.config.read_text().rpartition("model = ")[0])
    command("run", trained, "--out", tmp_path / "run", "--until", "images")
    fold = (here / "fold0.npz").read_bytes()
    command("run", elsewhere.config, "--out", tmp_path / "run", "--until", "images")
    assert (here / "fold0.npz").read_bytes() == (elsewhere.model / "fold0.npz").read_bytes()
    (kept,) = (tmp_path / "run/images.kept").iterdir()
    assert (kept / "fold0.npz").read_bytes() == fold != (here / "fold0.npz").read_bytes()
