import json
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from cohort.simulator import write_folder
from engine.errors import InputError
from features import FeatureState, build
from uglyduck.commands.features import features

app = typer.Typer()
app.command()(features)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with nothing but its configuration, and the simulated tables next to it."""
    root = tmp_path_factory.mktemp("features") / "run"
    root.mkdir()
    write_folder(root.parent, 300, seed=1, test_lesions=60, malignant=20)
    table = root.parent / "train-metadata.csv"
    text = f'[data]\nmetadata = "{table}"\n[features]\ngroups = ["basic", "patient.z", "context.counts"]\n'
    root.joinpath("config.toml").write_text(text, "utf-8")
    return root


def call(*arguments: str | Path) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_it_brings_a_run_up_to_date(run: Path) -> None:
    told = json.loads(call(run, "--json"))
    table = pl.read_parquet(run / "features.parquet")
    assert told == {
        "path": str(run / "features.parquet"),
        "lesions": 300,
        "groups": {"basic": 4, "patient": 77, "context": 13},
    }
    assert table.shape == (300, 95)
    assert "300 lesions, 94 features" in call(run)


def test_it_computes_other_lesions_with_the_runs_constants(run: Path) -> None:
    call(run)
    out = run.parent / "test-features.parquet"
    told = json.loads(call(run, "--metadata", run.parent / "test-metadata.csv", "--out", out, "--json"))
    assert told["lesions"] == 60
    stored = json.loads((run / "features.json").read_text("utf-8"))
    frame = pl.read_csv(run.parent / "test-metadata.csv", null_values=["NA", ""], infer_schema_length=None)
    frame = frame.sort("patient_id", "isic_id")
    expected = build(frame, stored["groups"], state=FeatureState.from_dict(stored["state"]))
    assert pl.read_parquet(out).equals(expected)


def test_a_table_needs_somewhere_to_go(run: Path) -> None:
    with pytest.raises(InputError, match="--metadata and --out belong together"):
        call(run, "--metadata", run.parent / "test-metadata.csv")


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no run"):
        call(tmp_path)
