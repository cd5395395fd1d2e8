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
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from submissions.bundle import scoring
from submissions.validation import validate_submission
from tests.uglyduck.conftest import Command, some_wheel
from uglyduck.run.run import open_run
from uglyduck.studies.export import files_to_score

OFFLINE = ["unshare", "--map-root-user", "--net"]
# Python imports it first; whatever looks up a host or opens a connection then fails, and the command with it.
REFUSE_SOCKETS = """import sys

def refuse(event, arguments):
    if event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
        raise RuntimeError(f"{event} {arguments}: there is no network")

sys.addaudithook(refuse)
"""
REPEATS = 400


@pytest.fixture(scope="module")
def bundle(pictured: Path, command: Command) -> Path:
    out = pictured / "bundle"
    command("bundle", pictured / "run", "--out", out, "--user", "jane", "--name", "my-moles")
    return out


@dataclass(frozen=True)
class Expected:
    """What `uglyduck predict` writes for the test lesions."""

    whole: Path
    table_alone: Path


@pytest.fixture(scope="module")
def expected(pictured: Path, command: Command) -> Expected:
    made = Expected(pictured / "whole.csv", pictured / "table-alone.csv")
    for out, more in ((made.whole, ["--images", pictured / "data/test-image.hdf5"]), (made.table_alone, [])):
        command("predict", pictured / "run", "--metadata", pictured / "data/test-metadata.csv", "--out", out, *more)
    assert made.whole.read_bytes() != made.table_alone.read_bytes()
    return made


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
        return self.input / "my-moles/MANIFEST.json"

    def call(self, *before: str) -> tuple[list[str], dict[str, str]]:
        environment = {**os.environ, "UGLYDUCK_INPUT": str(self.input), "UGLYDUCK_OUTPUT": str(self.output)}
        return [*before, sys.executable, str(self.input / "my-moles/kernel/submit.py")], environment

    def run(self, *before: str) -> subprocess.CompletedProcess[str]:
        call, environment = self.call(*before)
        return subprocess.run(call, env=environment, capture_output=True, text=True, check=False)

    def is_valid(self) -> bool:
        findings = validate_submission(self.submission, self.competition / "sample_submission.csv")
        return not any(found.status == "found" and found.severity == "error" for found in findings)

    def scores(self) -> pl.DataFrame:
        return read_scores(self.submission)

    def ask_for(self, lesions: pl.DataFrame) -> None:
        """Put other lesions into the competition's folder."""
        lesions.write_csv(self.competition / "test-metadata.csv")
        lesions.select("isic_id", target=pl.lit("0.3")).write_csv(self.competition / "sample_submission.csv")


def read_scores(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, schema={"isic_id": pl.String, "target": pl.Float64})


@pytest.fixture
def place(bundle: Path, pictured: Path, tmp_path: Path) -> Place:
    made = Place(tmp_path / "input", tmp_path / "output")
    made.competition.mkdir(parents=True)
    made.output.mkdir()
    shutil.copytree(bundle, made.input / "my-moles")
    for name in ("test-metadata.csv", "test-image.hdf5", "sample_submission.csv"):
        shutil.copy(pictured / "data" / name, made.competition)
    return made


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def test_offline_and_read_only_it_gives_the_bits_of_predict(
    place: Place, pictured: Path, tmp_path: Path, expected: Expected, command: Command
) -> None:
    (wheel,) = (place.input / "my-moles/wheels").iterdir()
    wheel.rename(tmp_path / wheel.name)
    (tmp_path / "more").mkdir()
    with zipfile.ZipFile(tmp_path / "more/refuse-1.0-py3-none-any.whl", "w") as archive:
        archive.writestr("refuse-1.0.data/purelib/sitecustomize.py", REFUSE_SOCKETS)
    shutil.rmtree(place.input / "my-moles")
    options = ["--wheel", tmp_path / wheel.name, "--wheels", tmp_path / "more"]
    command("bundle", pictured / "run", "--out", place.input / "my-moles", *options)
    before = digests(place.input)
    for path in place.input.rglob("*"):
        path.chmod(path.stat().st_mode & ~0o222)

    done = place.run(*offline())
    assert done.returncode == 0, done.stderr
    assert "scored from table and crops" in done.stdout
    assert place.submission.read_bytes() == expected.whole.read_bytes()
    assert place.is_valid()
    assert digests(place.input) == before
    assert [path.name for path in place.output.iterdir()] == ["submission.csv"]


def offline() -> list[str]:
    """What to put before a command for it to see no network, where the machine allows that."""
    possible = shutil.which(OFFLINE[0]) and subprocess.run([*OFFLINE, "true"], check=False, capture_output=True)
    return OFFLINE if possible and possible.returncode == 0 else []


def test_refused_sockets_are_refused(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSE_SOCKETS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    call = [sys.executable, "-c", "import socket; socket.create_connection(('localhost', 9))"]
    done = subprocess.run(call, env=environment, capture_output=True, text=True, check=False)
    assert "there is no network" in done.stderr


def test_a_placeholder_of_one_patient_gets_the_bits_of_the_batch(place: Place, expected: Expected) -> None:
    table = pl.read_csv(place.competition / "test-metadata.csv", infer_schema=False)
    few = table.group_by("patient_id").len().filter(pl.col("len") >= 3).sort("len", "patient_id")["patient_id"][0]
    alone = table.filter(pl.col("patient_id") == few)
    place.ask_for(alone)
    done = place.run()
    assert "scored from table and crops" in done.stdout
    assert place.is_valid()
    batch = read_scores(expected.whole).filter(pl.col("isic_id").is_in(alone["isic_id"].implode()))
    assert place.scores().sort("isic_id").equals(batch.sort("isic_id"))


def test_it_warns_in_the_words_of_predict(
    bundle: Path, pictured: Path, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """A clinic's table without measurements, and with a lesion or two of each patient."""
    table = pl.read_csv(pictured / "data/test-metadata.csv", infer_schema=False)
    table = table.filter(pl.int_range(pl.len()).over("patient_id") < 2)
    emptied = [pl.lit("").alias(name) for name in table.columns if name.startswith(("tbp_lv_", "clin_size"))]
    table.with_columns(*emptied).write_csv(tmp_path / "clinic.csv")
    given = ["--metadata", tmp_path / "clinic.csv", "--out", tmp_path / "submission.csv"]
    at_home = command("predict", pictured / "run", *given, "--anyway").stderr
    capsys.readouterr()
    scoring.main([str(each) for each in (bundle / "run", *given)])
    said = [
        [line.partition("WARNING: ")[2] for line in text.splitlines() if "WARNING: " in line]
        for text in (at_home, capsys.readouterr().err)
    ]
    assert said[0] == said[1]
    assert any("columns are absent or empty" in line for line in said[0])
    assert any("scores lie apart from those of training" in line for line in said[0])
    assert any("the median patient has" in line for line in said[0])


def test_three_rows_are_answered(place: Place) -> None:
    place.ask_for(pl.read_csv(place.competition / "test-metadata.csv", infer_schema=False).head(3))
    (place.competition / "test-image.hdf5").unlink()
    assert "scored from the table alone" in place.run().stdout
    assert place.is_valid()
    assert place.scores().height == 3


def test_many_rows_are_answered_with_the_bits_of_few(place: Place, expected: Expected) -> None:
    (place.competition / "test-image.hdf5").unlink()
    few = pl.read_csv(place.competition / "test-metadata.csv", infer_schema=False)
    copies = pl.DataFrame({"copy": [f"_{number}" for number in range(REPEATS)]})
    many = few.join(copies, how="cross").with_columns(pl.col("isic_id", "patient_id") + pl.col("copy")).drop("copy")
    place.ask_for(many)
    done = place.run()
    assert "scored from the table alone" in done.stdout, done.stderr
    assert place.is_valid()
    found = place.scores().with_columns(pl.col("isic_id").str.replace(r"_\d+$", "")).group_by("isic_id")
    same = found.agg(pl.col("target").first(), pl.len(), values=pl.col("target").n_unique())
    assert same["len"].unique().to_list() == [REPEATS]
    assert same["values"].unique().to_list() == [1]
    batch = read_scores(expected.table_alone).sort("isic_id")
    assert same.select("isic_id", "target").sort("isic_id").equals(batch)


def test_a_broken_image_file_leaves_the_table_alone(place: Place, expected: Expected) -> None:
    (place.competition / "test-image.hdf5").write_bytes(b"no HDF5 file")
    done = place.run()
    assert "going on with the table alone" in done.stdout
    assert "scored from the table alone" in done.stdout
    assert place.submission.read_bytes() == expected.table_alone.read_bytes()


def test_crops_that_take_too_long_leave_the_table_alone(place: Place, expected: Expected) -> None:
    about = json.loads(place.manifest.read_text())
    place.manifest.write_text(json.dumps({**about, "image_seconds": 0.2}))
    assert "scored from the table alone" in place.run().stdout
    assert place.submission.read_bytes() == expected.table_alone.read_bytes()


@pytest.fixture
def full_pipe() -> Iterator[int]:
    """What writes to it waits for ever: nobody reads, and no byte fits."""
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with suppress(BlockingIOError):
        while os.write(writes, bytes(4096)):
            pass
    with suppress(BlockingIOError):
        while os.write(writes, bytes(1)):
            pass
    os.set_blocking(writes, True)
    yield writes
    os.close(writes)
    os.close(reads)


def is_the_prior(place: Place, pictured: Path) -> bool:
    prevalence = pl.read_csv(pictured / "data/train-metadata.csv", columns=["target"])["target"].mean()
    return place.is_valid() and place.scores()["target"].unique().to_list() == [pytest.approx(prevalence)]


def test_killed_at_its_first_word_it_leaves_the_prior(place: Place, pictured: Path, full_pipe: int) -> None:
    call, environment = place.call()
    with subprocess.Popen(call, env=environment, stdout=full_pipe, stderr=subprocess.DEVNULL) as process:
        wait_for(place.submission.exists, process)
        process.send_signal(signal.SIGKILL)
    assert is_the_prior(place, pictured)


def test_killed_while_scoring_it_leaves_the_prior(place: Place, pictured: Path, full_pipe: int) -> None:
    (place.competition / "test-image.hdf5").unlink()  # scoring then says that there are no images, and stops at that
    call, environment = place.call()
    with subprocess.Popen(call, env=environment, stdout=subprocess.DEVNULL, stderr=full_pipe) as process:
        wait_for(lambda: children(process.pid), process)
        assert is_the_prior(place, pictured)
        scoring = children(process.pid)
        process.send_signal(signal.SIGKILL)
        for child in scoring:
            os.kill(child, signal.SIGKILL)
    assert is_the_prior(place, pictured)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    while not condition():
        assert process.poll() is None
        time.sleep(0.005)


def children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in listed.splitlines()]
    return [int(pid) for pid, of in pairs if int(of) == parent]


def test_a_damaged_model_is_refused_and_the_prior_stands(place: Place) -> None:
    model = place.input / "my-moles/run/models/lightgbm/fold0-seed0.txt"
    model.write_text(model.read_text()[:1000])
    done = place.run()
    assert done.returncode == 1
    assert "fold0-seed0.txt was changed since the bundle was made" in done.stderr
    assert place.is_valid()
    assert place.scores()["target"].n_unique() == 1


def test_no_training_lesion_and_no_path_is_in_it(bundle: Path, pictured: Path) -> None:
    ids = pl.read_csv(pictured / "data/train-metadata.csv", columns=["isic_id", "patient_id"])
    places = {str(pictured), str(Path.home()), str(Path(__file__).parents[2])}
    names = [name.encode() for name in {*ids["isic_id"], *ids["patient_id"], *places}]
    files = {path.relative_to(bundle).as_posix(): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
    for path in (bundle / "wheels").iterdir():
        with zipfile.ZipFile(path) as archive:
            files |= {name: archive.read(name) for name in archive.namelist()}
    for path in bundle.rglob("*.npz"):
        with zipfile.ZipFile(path) as archive:
            files |= {f"{path.name}/{name}": archive.read(name) for name in archive.namelist()}
    assert len(files) > 100
    for name, content in files.items():
        assert not [word for word in names if word in content], name


def test_what_later_commands_wrote_is_not_in_it(copied: Path, command: Command) -> None:
    before = set(files_to_score(open_run(copied)))
    command("hospitals", copied, "--fewest", "1")
    assert (copied / "hospitals.json").is_file()
    assert set(files_to_score(open_run(copied))) == before


def test_the_wheel_holds_every_package_and_its_data(bundle: Path) -> None:
    (wheel,) = (bundle / "wheels").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    root = Path(__file__).parents[2]
    packages = [path.parent.name for path in root.glob("*/__init__.py")]
    data = {path.relative_to(root).as_posix() for name in packages for path in (root / name).rglob("*.json")}
    code = {path.relative_to(root).as_posix() for name in packages for path in (root / name).rglob("*.py")}
    assert len(packages) == 8
    assert data | code <= names


def test_the_descriptions_name_the_upload(bundle: Path) -> None:
    data_set = json.loads((bundle / "dataset-metadata.json").read_text())
    kernel = json.loads((bundle / "kernel/kernel-metadata.json").read_text())
    assert data_set["id"] == "jane/my-moles"
    assert kernel["dataset_sources"] == ["jane/my-moles"]
    assert kernel["competition_sources"] == ["isic-2024-challenge"]
    assert kernel["enable_internet"] is False
    made = json.loads((bundle / "kernel" / kernel["code_file"]).read_text())
    program = "".join(made["cells"][1]["source"])
    assert program == (bundle / "kernel/submit.py").read_text()
    ast.parse(program)
    assert "polars==" in (bundle / "requirements.txt").read_text()


def test_a_dry_run_lists_what_would_leave_and_writes_nothing(pictured: Path, bundle: Path, command: Command) -> None:
    before = {path.name for path in pictured.iterdir()}
    wheel = next((bundle / "wheels").iterdir())
    done = command("bundle", pictured / "run", "--out", pictured / "not", "--wheel", wheel, "--dry-run")
    lines = [line.split(maxsplit=2) for line in done.stdout.splitlines()]
    sizes = {path.relative_to(bundle).as_posix(): path.stat().st_size for path in bundle.rglob("*") if path.is_file()}
    told = {name: int(size.replace(",", "")) for size, name, _ in lines}
    assert set(told) == set(sizes)
    assert told["run/features.json"] == sizes["run/features.json"]
    assert all(words.startswith("(") for _, _, words in lines)
    assert {path.name for path in pictured.iterdir()} == before


def test_image_models_beyond_the_stated_time_are_left_out(pictured: Path, tmp_path: Path, command: Command) -> None:
    given = ("--out", tmp_path / "b", "--wheel", some_wheel(tmp_path), "--gpu")
    done = command("bundle", pictured / "run", *given, "--hours", "0.01")
    assert "image model descriptors: " in done.stderr
    assert "h expected for 500,000 lesions" in done.stderr
    assert "left out: descriptors" in done.stderr
    about = json.loads((tmp_path / "b/MANIFEST.json").read_text())
    assert (about["images"], about["left_out"], about["image_seconds"]) == (False, ["descriptors"], 36)
    assert not (tmp_path / "b/run/images/descriptors").exists()
    assert json.loads((tmp_path / "b/kernel/kernel-metadata.json").read_text())["enable_gpu"] is True


def test_a_run_whose_image_scores_came_from_a_table_is_packed_without_them_only_on_request(
    small: Path, finished: Path, tmp_path: Path, command: Command
) -> None:
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    text = (run / "config.toml").read_text().replace("[data]", '[data]\nimage_scores = "scores.parquet"')
    (run / "config.toml").write_text(text)
    given = ("bundle", run, "--out", tmp_path / "b", "--wheel", some_wheel(tmp_path))
    done = command(*given, check=False)
    assert done.returncode == 2
    assert "came from a table (scores.parquet): the kernel cannot make them" in done.stderr
    assert not (tmp_path / "b").exists()
    assert "the kernel cannot make them" in command(*given, "--table-alone").stderr
    assert (tmp_path / "b/MANIFEST.json").is_file()


def test_wrong_options_are_one_line_and_status_2(pictured: Path, tmp_path: Path, command: Command) -> None:
    done = command("bundle", pictured / "run", "--out", tmp_path / "b", "--wheels", tmp_path, check=False)
    assert done.returncode == 2
    assert "no wheels in this folder" in done.stderr
    done = command("bundle", tmp_path, "--out", tmp_path / "b", check=False)
    assert done.returncode == 2
    assert "this folder holds no run" in done.stderr
    assert not (tmp_path / "b").exists()
