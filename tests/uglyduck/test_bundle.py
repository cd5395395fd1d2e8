"""`uglyduck bundle`, and its kernel run as a competition runs it: offline, read-only, killed, damaged."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from submissions.validation import validate_submission
from tests.uglyduck.conftest import Command

OFFLINE = ["unshare", "--map-root-user", "--net"]


@pytest.fixture(scope="module")
def bundle(pictured: Path, command: Command) -> Path:
    out = pictured / "bundle"
    command("bundle", pictured / "run", "--out", out, "--user", "jane", "--name", "moles")
    return out


@dataclass(frozen=True)
class Place:
    """The two folders a kernel sees."""

    input: Path
    output: Path

    @property
    def submission(self) -> Path:
        return self.output / "submission.csv"

    @property
    def competition(self) -> Path:
        return self.input / "isic-2024-challenge"

    @property
    def manifest(self) -> Path:
        return self.input / "moles/MANIFEST.json"

    def call(self, *before: str) -> tuple[list[str], dict[str, str]]:
        environment = {**os.environ, "UGLYDUCK_INPUT": str(self.input), "UGLYDUCK_OUTPUT": str(self.output)}
        return [*before, sys.executable, str(self.input / "moles/kernel/submit.py")], environment

    def run(self, *before: str) -> subprocess.CompletedProcess[str]:
        call, environment = self.call(*before)
        return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)

    def is_valid(self) -> bool:
        findings = validate_submission(self.submission, self.competition / "sample_submission.csv")
        return not any(found.status == "found" and found.severity == "error" for found in findings)

    def scores(self) -> pl.DataFrame:
        return pl.read_csv(self.submission, schema={"isic_id": pl.String, "target": pl.Float64})


@pytest.fixture
def place(bundle: Path, pictured: Path, tmp_path: Path) -> Place:
    made = Place(tmp_path / "input", tmp_path / "output")
    made.competition.mkdir(parents=True)
    made.output.mkdir()
    shutil.copytree(bundle, made.input / "moles")
    for name in ("test-metadata.csv", "test-image.hdf5", "sample_submission.csv"):
        shutil.copy(pictured / "data" / name, made.competition)
    return made


def predict(command: Command, pictured: Path, out: Path, *more: str | Path) -> bytes:
    command("predict", pictured / "run", "--metadata", pictured / "data/test-metadata.csv", "--out", out, *more)
    return out.read_bytes()


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_offline_and_read_only_it_gives_the_bits_of_predict(
    place: Place, pictured: Path, tmp_path: Path, command: Command
) -> None:
    offline = OFFLINE if subprocess.run([*OFFLINE, "true"], check=False, capture_output=True).returncode == 0 else []
    before = digests(place.input)
    for path in place.input.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)
    done = place.run(*offline)
    assert done.returncode == 0, done.stderr
    assert "scored from table and crops" in done.stdout
    expected = predict(command, pictured, tmp_path / "a.csv", "--images", pictured / "data/test-image.hdf5")
    assert place.submission.read_bytes() == expected
    assert place.is_valid()
    assert digests(place.input) == before
    assert [path.name for path in place.output.iterdir()] == ["submission.csv"]


def test_a_placeholder_of_one_patient_gets_the_bits_of_the_batch(
    place: Place, pictured: Path, tmp_path: Path, command: Command
) -> None:
    predict(command, pictured, tmp_path / "a.csv", "--images", pictured / "data/test-image.hdf5")
    whole = pl.read_csv(tmp_path / "a.csv", schema={"isic_id": pl.String, "target": pl.Float64})
    table = pl.read_csv(place.competition / "test-metadata.csv", infer_schema=False)
    few = table.group_by("patient_id").len().filter(pl.col("len") >= 3).sort("len", "patient_id")["patient_id"][0]
    alone = table.filter(pl.col("patient_id") == few)
    alone.write_csv(place.competition / "test-metadata.csv")
    alone.select("isic_id", target=pl.lit("0.3")).write_csv(place.competition / "sample_submission.csv")
    assert place.run().returncode == 0
    assert place.is_valid()
    expected = whole.filter(pl.col("isic_id").is_in(alone["isic_id"].implode()))
    assert place.scores().sort("isic_id").equals(expected.sort("isic_id"))


def test_a_broken_image_file_leaves_the_table_alone(
    place: Place, pictured: Path, tmp_path: Path, command: Command
) -> None:
    (place.competition / "test-image.hdf5").write_bytes(b"no HDF5 file")
    done = place.run()
    assert "going on with the table alone" in done.stdout
    assert "scored from the table alone" in done.stdout
    assert place.submission.read_bytes() == predict(command, pictured, tmp_path / "a.csv")


def test_crops_that_take_too_long_leave_the_table_alone(
    place: Place, pictured: Path, tmp_path: Path, command: Command
) -> None:
    about = json.loads(place.manifest.read_text())
    place.manifest.write_text(json.dumps({**about, "image_seconds": 0.2}))
    assert "scored from the table alone" in place.run().stdout
    assert place.submission.read_bytes() == predict(command, pictured, tmp_path / "a.csv")


def test_killed_on_the_way_it_leaves_the_prior_which_is_valid(place: Place, pictured: Path) -> None:
    call, environment = place.call()
    with subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not place.submission.exists():
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
    assert place.is_valid()
    prevalence = pl.read_csv(pictured / "data/train-metadata.csv", columns=["target"])["target"].mean()
    assert place.scores()["target"].unique().to_list() == [pytest.approx(prevalence)]


def test_a_damaged_model_is_refused_and_the_prior_stands(place: Place) -> None:
    model = place.input / "moles/run/models/lightgbm/fold0-seed0.txt"
    model.write_text(model.read_text()[:1000])
    done = place.run()
    assert done.returncode == 1
    assert "fold0-seed0.txt was changed since the bundle was made" in done.stderr
    assert place.is_valid()
    assert place.scores()["target"].n_unique() == 1


def test_no_training_lesion_and_no_path_is_in_it(bundle: Path, pictured: Path) -> None:
    ids = pl.read_csv(pictured / "data/train-metadata.csv", columns=["isic_id", "patient_id"])
    names = [name.encode() for name in {*ids["isic_id"], *ids["patient_id"], str(pictured)}]
    for path in bundle.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [name for name in names if name in content], path


def test_the_wheel_holds_every_package_and_its_data(bundle: Path) -> None:
    (wheel,) = (bundle / "wheels").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    root = Path(__file__).parents[2]
    packages = [path.parent.name for path in root.glob("*/__init__.py")]
    data = {path.relative_to(root).as_posix() for name in packages for path in (root / name).rglob("*.json")}
    code = {path.relative_to(root).as_posix() for name in packages for path in (root / name).rglob("*.py")}
    assert len(packages) == 7
    assert data | code <= names


def test_the_descriptions_name_the_upload(bundle: Path) -> None:
    data_set = json.loads((bundle / "dataset-metadata.json").read_text())
    kernel = json.loads((bundle / "kernel/kernel-metadata.json").read_text())
    assert data_set["id"] == "jane/moles"
    assert kernel["dataset_sources"] == ["jane/moles"]
    assert kernel["competition_sources"] == ["isic-2024-challenge"]
    assert kernel["enable_internet"] is False
    made = json.loads((bundle / "kernel" / kernel["code_file"]).read_text())
    program = "".join(made["cells"][1]["source"])
    assert program == (bundle / "kernel/submit.py").read_text()
    ast.parse(program)
    assert "polars==" in (bundle / "requirements.txt").read_text()


def test_wrong_options_are_one_line_and_status_2(pictured: Path, tmp_path: Path, command: Command) -> None:
    done = command("bundle", pictured / "run", "--out", tmp_path / "b", "--wheels", tmp_path, check=False)
    assert done.returncode == 2
    assert "no wheels in this folder" in done.stderr
    done = command("bundle", tmp_path, "--out", tmp_path / "b", check=False)
    assert done.returncode == 2
    assert "this folder holds no run" in done.stderr
    assert not (tmp_path / "b").exists()
