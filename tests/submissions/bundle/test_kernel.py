"""The program of a bundle, piece by piece; tests/uglyduck/test_bundle.py runs it whole."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from engine.errors import InputError
from submissions.bundle import kernel
from submissions.bundle.notebook import notebook
from submissions.bundle.requirements import requirements
from submissions.bundle.writing import Content, Upload, write_bundle


def test_the_prior_gives_every_lesion_the_same_score_in_the_samples_order(tmp_path: Path) -> None:
    (tmp_path / "sample.csv").write_bytes(b"isic_id,target\r\nISIC_2,0.3\r\nISIC_1,0.3\r\n")
    assert kernel.write_prior(tmp_path / "sample.csv", 0.001, tmp_path / "submission.csv") == 2
    assert (tmp_path / "submission.csv").read_bytes() == b"isic_id,target\nISIC_2,0.001\nISIC_1,0.001\n"
    assert {path.name for path in tmp_path.iterdir()} == {"sample.csv", "submission.csv"}


def test_a_file_is_found_in_the_fewest_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "INPUT", tmp_path)
    for folder in ("a/deep", "b"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "a/deep/x.csv").touch()
    assert kernel.find("x.csv") == tmp_path / "a/deep/x.csv"
    (tmp_path / "b/x.csv").touch()
    assert kernel.find("x.csv") == tmp_path / "b/x.csv"
    (tmp_path / "a/x.csv").touch()
    with pytest.raises(RuntimeError, match="more than once"):
        kernel.find("x.csv")
    with pytest.raises(FileNotFoundError, match=r"attach the bundle"):
        kernel.find("y.csv")


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.txt").write_text("trees")
    files = {"model.txt": hashlib.sha256(b"trees").hexdigest()}
    kernel.check(tmp_path, files)
    (tmp_path / "model.txt").write_text("other trees")
    with pytest.raises(RuntimeError, match=r"model\.txt was changed"):
        kernel.check(tmp_path, files)
    with pytest.raises(FileNotFoundError):
        kernel.check(tmp_path, {"absent.txt": ""})


def wheel(path: Path, files: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_wheels_are_unpacked_where_python_looks(tmp_path: Path) -> None:
    pure = wheel(tmp_path / "a-1-py3-none-any.whl", {"alpha/__init__.py": "", "a-1.dist-info/METADATA": "Name: a"})
    split = wheel(tmp_path / "b-1-py3-none-any.whl", {"b-1.data/purelib/beta/__init__.py": ""})
    kernel.unpack_wheels([pure, split], tmp_path / "there")
    assert (tmp_path / "there/alpha/__init__.py").exists()
    assert (tmp_path / "there/beta/__init__.py").exists()


def test_missing_libraries_are_named_and_other_versions_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"some_thing-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: Some_Thing\nVersion: 2.0\n"}
    kernel.unpack_wheels([wheel(tmp_path / "some_thing-2.0-py3-none-any.whl", files)], tmp_path / "there")
    kernel.check_libraries({"some-thing": "2.0"}, tmp_path / "there")
    assert capsys.readouterr().out == ""
    kernel.check_libraries({"some-thing": "1.9"}, tmp_path / "there")
    assert "some-thing 2.0, not 1.9" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match=r"missing here: no-such-library==1\.0"):
        kernel.check_libraries({"no-such-library": "1.0", "some-thing": "2.0"}, tmp_path / "there")


def test_the_program_needs_the_standard_library_only() -> None:
    lines = Path(kernel.__file__).read_text().splitlines()
    imported = {line.split()[1].split(".")[0] for line in lines if line.startswith(("import ", "from "))}
    ours = {"cohort", "cv_folds", "features", "image_embeddings", "ensemble", "submissions", "uglyduck"}
    others = {"numpy", "polars", "h5py", "PIL", "pydantic", "typer", "rich"}
    assert not imported & (ours | others)


def test_a_notebook_holds_the_program_word_for_word() -> None:
    made = notebook("Title", "text", "a = 1\nb = 2\n")
    assert (made["nbformat"], made["nbformat_minor"]) == (4, 5)
    assert [cell["cell_type"] for cell in made["cells"]] == ["markdown", "code"]
    assert "".join(made["cells"][1]["source"]) == "a = 1\nb = 2\n"
    assert len({cell["id"] for cell in made["cells"]}) == 2
    json.dumps(made, allow_nan=False)


def test_scoring_needs_no_tuning_and_no_torch() -> None:
    plain = requirements(networks=False)
    assert {"polars", "lightgbm", "scikit-learn", "h5py"} <= set(plain)
    assert not {"optuna", "torch", "pydicom"} & set(plain)
    assert set(plain) <= set(requirements(networks=True))


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    content = Content(run={}, prior=0.1, images=False, networks=False, image_seconds=1, wheels=[])
    with pytest.raises(InputError, match="something is there already"):
        write_bundle(tmp_path / "out", content, Upload("jane", "my-moles", "y"))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


@pytest.mark.parametrize("name", ["Capital", "two--dashes", "a-dash-", "under_score", "", "a/b/c/d", "moles", "a" * 40])
def test_a_name_that_can_not_be_part_of_an_address_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="--name"):
        Upload("jane", name, "competition").check()
