"""The program of a bundle, piece by piece; tests/uglyduck/test_bundle.py runs it whole."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from engine.errors import InputError
from submissions.bundle import kernel
from submissions.bundle.notebook import notebook
from submissions.bundle.requirements import download_wheels, requirements
from submissions.bundle.timing import beyond
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
    kernel.check_libraries({"no-such-library": "1.0", "some-thing": "2.0"}, tmp_path / "there")
    assert "missing here: no-such-library==1.0; if scoring fails" in capsys.readouterr().out


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
    assert not {"optuna", "torch", "pydicom", "typer", "rich", "tomli-w"} & set(plain)
    assert set(plain) <= set(requirements(networks=True))


ALONE = """import sys, importlib.metadata as installed

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if path is None and not known.issuperset(owners.get(name, ["uglyduck-triage"])):
            raise ModuleNotFoundError(f"{name} is not required", name=name)

wanted = set(sys.argv[1:])
normal = lambda name: name.lower().replace("_", "-").replace(".", "-")
owners = {name: [normal(one) for one in of] for name, of in installed.packages_distributions().items()}
known = wanted | {"uglyduck-triage", "setuptools"}  # the latter for an editable installation
sys.meta_path.insert(0, Refuse())
import submissions.bundle.scoring, image_embeddings.requests, image_embeddings.descriptor_backend
used = {one for name in {name.split(".")[0] for name in sys.modules} for one in owners.get(name, [])}
print(*sorted(wanted - used))
"""


def test_scoring_loads_what_is_required_and_nothing_else() -> None:
    """Scores of whole submissions without other libraries: `make test-old-kernel`."""
    call = [sys.executable, "-c", ALONE, *requirements(networks=False)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # Names of time zones are data. The others are loaded where one of them is first needed.
    assert set(done.stdout.split()) <= {"tzdata", "cloudpickle", "annotated-types", "typing-inspection", "six"}


def test_wheels_for_another_python_are_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    any_python = [Path("uglyduck_triage-0.1.0-py3-none-any.whl"), Path("polars-2-cp38-abi3-manylinux_2_17_x86_64.whl")]
    assert kernel.usable(any_python) == any_python
    assert kernel.usable([*any_python, Path("numpy-2-cp27-cp27m-manylinux1_x86_64.whl")]) == any_python[:1]
    assert "numpy-2-cp27-cp27m-manylinux1_x86_64.whl is for another Python" in capsys.readouterr().out


def test_wheels_are_downloaded_in_the_versions_of_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, out = tmp_path / "index", tmp_path / "wheels"
    index.mkdir()
    about = {"a-1.dist-info/METADATA": "Metadata-Version: 2.1\nName: a\nVersion: 1\n"}
    wheel(index / "a-1-cp311-cp311-manylinux_2_28_x86_64.whl", about | {"a-1.dist-info/WHEEL": "Wheel-Version: 1.0\n"})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    assert [path.name for path in download_wheels({"a": "1", "torch": "9"}, out, "3.11")] == [
        "a-1-cp311-cp311-manylinux_2_28_x86_64.whl"
    ]
    with pytest.raises(InputError, match=r"could not be downloaded .*a==2"):
        download_wheels({"a": "2"}, out, "3.11")


def test_the_least_useful_image_models_are_left_out_first() -> None:
    seconds, usefulness = {"a": 10.0, "b": 20.0, "c": 30.0}, {"a": 0.5, "b": 0.1, "c": 0.4}
    assert beyond(60, seconds, usefulness) == []
    assert beyond(59, seconds, usefulness) == ["b"]
    assert beyond(39, seconds, usefulness) == ["b", "c"]
    assert beyond(9, seconds, usefulness) == ["b", "c", "a"]


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("mine")
    content = Content(run={}, prior=0.1, image_models={}, left_out=[], image_seconds=1, ungrouped=False)
    with pytest.raises(InputError, match="something is there already"):
        write_bundle(tmp_path / "out", content, [], Upload("jane", "my-moles", "y"))
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "mine.txt"]


@pytest.mark.parametrize("name", ["Capital", "two--dashes", "a-dash-", "under_score", "", "a/b/c/d", "moles", "a" * 40])
def test_a_name_that_can_not_be_part_of_an_address_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="--name"):
        Upload("jane", name, "competition")
