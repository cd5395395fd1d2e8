"""docs/own-features.md runs as it stands: a feature of the user's own, from the configuration to the bundle."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest

from submissions.bundle import scoring
from tests.uglyduck.conftest import Command

DOCUMENT = Path(__file__).parents[2] / "docs" / "own-features.md"
OWN = ["area_share", "larger_at_site", "dark_and_large", "stands_out"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, command: Command) -> Path:
    """What the recipe leaves."""
    folder = tmp_path_factory.mktemp("own")
    (recipe,) = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (text,) = re.findall(r"^cat > own.toml <<'TOML'\n(.*?)^TOML\n", recipe, re.MULTILINE | re.DOTALL)
    (folder / "own.toml").write_text(text)
    (folder / "none.whl").touch()
    more = {"bundle": ["--wheel", "none.whl"]}  # building ours takes long, and is tested with the bundle
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for line in re.findall(r"^uglyduck (.*)$", recipe, re.MULTILINE):
            arguments = shlex.split(line)
            command(*arguments, *more.get(arguments[0], []))
    return folder


def test_they_are_features_with_names_units_and_sources(folder: Path) -> None:
    listed = {one["name"]: one for one in json.loads((folder / "runs/own/features.json").read_text())["features"]}
    assert [name for name, one in listed.items() if one["group"] == "own"] == OWN
    assert listed["stands_out"]["unit"] == "standard deviations"
    assert listed["stands_out"]["source"] == "our clinic, 2026"
    table = pl.read_parquet(folder / "runs/own/features.parquet", columns=["isic_id", "tbp_lv_areaMM2", "area_share"])
    patients = pl.read_parquet(folder / "runs/own/lesions.parquet", columns=["isic_id", "patient_id"])
    total = pl.col("tbp_lv_areaMM2").sum().over("patient_id")
    shares = table.join(patients, on="isic_id").select("area_share", share=pl.col("tbp_lv_areaMM2") / total)
    assert (shares["area_share"] - shares["share"]).abs().max() < 1e-5  # type: ignore[operator]


def test_studies_know_them(folder: Path) -> None:
    tried = {row["name"] for row in json.loads((folder / "runs/own/ablation/groups/ablation.json").read_text())["rows"]}
    assert {"without own", "without own.area_share"} <= tried
    groups = json.loads((folder / "runs/own/explanation/groups.json").read_text())["groups"]
    assert any(group["group"] == "own" and group["features"] == len(OWN) for group in groups)


def test_the_bundle_scores_as_the_run_does(folder: Path, tmp_path: Path) -> None:
    test = folder / "cohort/test-metadata.csv"
    call = (folder / "bundle/run", "--metadata", test, "--out", tmp_path / "submission.csv")
    scoring.main([str(each) for each in call])
    assert (tmp_path / "submission.csv").read_bytes() == (folder / "submission.csv").read_bytes()


def test_a_mistake_is_found_before_the_first_stage(tmp_path: Path, command: Command) -> None:
    (tmp_path / "run.toml").write_text('[data]\nmetadata = "none.csv"\n[features.own]\nbig = "tbp_lv_aeraMM2 / 2"\n')
    done = command("run", tmp_path / "run.toml", check=False)
    assert done.returncode == 2
    assert "run.toml, features.own.big: there is no column 'tbp_lv_aeraMM2'. did you mean" in done.stderr


def test_a_column_that_the_table_lacks_is_named(folder: Path, tmp_path: Path, command: Command) -> None:
    table = pl.read_csv(folder / "cohort/train-metadata.csv", infer_schema=False).drop("tbp_tile_type")
    table.write_csv(tmp_path / "train.csv")
    text = '[data]\nmetadata = "train.csv"\n[features.own]\nlit = "mean(tbp_lv_A) over tile"\n[ensemble]\n'
    (tmp_path / "run.toml").write_text(text + 'learners = ["logistic"]\n')
    done = command("run", tmp_path / "run.toml", check=False)
    assert done.returncode == 2
    assert "[features.own] lit: lit needs tbp_tile_type, which the table lacks." in done.stderr
