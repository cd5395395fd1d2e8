"""A mistake in any part of the configuration is found before the first stage, and a refused run leaves no folder."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from tests.uglyduck.conftest import Command

TABLE = '[data]\nmetadata = "train.csv"\n'
CROPS = TABLE + 'images = "crops"\n'
LEARNER = '[ensemble]\nlearners = ["logistic"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A table that no stage could read, and a folder of one crop that none could decode."""
    (tmp_path / "train.csv").write_text("not a table")
    (tmp_path / "crops").mkdir()
    (tmp_path / "crops/ISIC_1.jpg").touch()
    (tmp_path / "empty").mkdir()
    pl.DataFrame({"isic_id": ["ISIC_1"]}).write_parquet(tmp_path / "ids.parquet")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE.replace("train", "none"), "[data] metadata = {0}/none.csv: no such file or folder. check the path."),
        (TABLE + 'images = "empty"\n', "{0}/empty: no images in this folder."),
        (TABLE + 'truth = "train.csv"\n', "[data] truth = {0}/train.csv: not a readable Parquet file."),
        (TABLE + 'truth = "ids.parquet"\n', "[data] truth = {0}/ids.parquet: not the truth of a cohort."),
        (TABLE + 'image_scores = "ids.parquet"\n', "[data] image_scores image table: no score."),
        (TABLE + '[folds]\nscheme = "stratifed"\n', "[folds] scheme: no scheme 'stratifed'."),
        (TABLE + "[folds]\nn_repeats = 2\n", "[folds] n_repeats: 2 repeats with the scheme 'stratified'."),
        (TABLE + '[features]\ngroups = ["patint"]\n', "[features] groups: unknown feature group 'patint'."),
        (
            TABLE + LEARNER + '[ensemble.members.logistic]\nlearner = "logistic"\ngroups = ["patint"]\n',
            "[ensemble.members.logistic] groups: unknown feature group 'patint'. did you mean 'patient'.",
        ),
        (
            TABLE + LEARNER + '[ensemble.members.logistic]\nlearner = "logistic"\ngroups = ["neighbours"]\n',
            "[ensemble.members.logistic] groups: the run builds no features of neighbours.",
        ),
        (TABLE + '[ensemble]\nlearners = ["logistc"]\n', "there is no learner 'logistc'."),
        (TABLE + LEARNER + "[ensemble.parameters.logistic]\nc = 1\n", "logistic has no parameter 'c'."),
        (CROPS + '[images.a]\n[images.b]\npreset = "tinny"\n', "[images.b] preset: no preset 'tinny'. did you mean"),
        (CROPS + '[images.b]\npreset = "tiny"\nset = { epoch = 2 }\n', "[images.b] preset tiny: no setting 'epoch'."),
        (CROPS + "[images]\nepochs = 2\n", "[images.descriptors] epochs: descriptors have no epochs."),
        (CROPS + "[images.b]\ndownload = true\n", "[images.b] download: descriptors have no weights."),
        (
            CROPS + '[images.b]\npreset = "tiny"\nweights = "none.pt"\n',
            "[images.b] weights = {0}/none.pt: no such file or folder.",
        ),
        (CROPS + '[images.b]\nmodel = "empty"\n', "[images.b] {0}/empty: not a model folder."),
    ],
    ids=lambda value: value if value.startswith("[data]") else "",
)
def test_it_is_refused_at_once(folder: Path, command: Command, text: str, message: str) -> None:
    # With one quick learner, where the mistake is not among the learners.
    (folder / "run.toml").write_text(text if "[ensemble]" in text else text + LEARNER)
    done = command("run", folder / "run.toml", "--out", folder / "runs/first", check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert message.format(folder.resolve()) in line
    assert not (folder / "runs").exists()


def test_a_mistake_leaves_a_run_that_is_there_as_it_was(folder: Path, command: Command) -> None:
    (folder / "run.toml").write_text(TABLE + LEARNER + '[features]\ngroups = ["patint"]\n')
    (folder / "run").mkdir()
    (folder / "run/config.toml").write_text("mine")
    command("run", folder / "run.toml", "--out", folder / "run", check=False)
    assert (folder / "run/config.toml").read_text() == "mine"
    assert "ERROR [features] groups: unknown feature group 'patint'." in (folder / "run/run.log").read_text()


def test_a_backbone_that_is_not_there_is_found_before_another_model_is_trained(
    pictured: Path, tmp_path: Path, command: Command
) -> None:
    text = (pictured / "pictured.toml").read_text().replace('"data/', f'"{pictured}/data/')
    (tmp_path / "run.toml").write_text(text + '[images.first]\n[images.second]\nbackbone = "resnt18"\n')
    done = command("run", tmp_path / "run.toml", "--out", tmp_path / "run", check=False)
    assert "[images.second] backbone: timm has no backbone 'resnt18'." in done.stderr
    assert not (tmp_path / "run/images").exists()
