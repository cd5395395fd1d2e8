"""The same submission, bit for bit, on every installed Python that the libraries allow.

The gate tries the newest, `make test-pythons` all of them.
"""

from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from submissions.bundle.requirements import requirements
from tests.uglyduck.conftest import PROGRAM, QUICK

ROOT = Path(__file__).parents[2]
UV = ROOT / ".uv/bin/uv"
#: The command line's, besides what scoring needs; with these versions it is the Python alone that differs.
MORE = ("typer", "rich", "tomli-w", "optuna", "jinja2")


def run(*call: str | Path) -> None:
    subprocess.run(list(map(str, call)), check=True)


def found(python: str) -> str | None:
    """A Python of this version that starts: on the path, or one of pyenv's, whose stand-in on the path may not."""
    named = shutil.which(f"python{python}")
    for path in ([named] if named else []) + sorted(
        map(str, Path.home().glob(f".pyenv/versions/{python}*/bin/python"))
    ):
        if subprocess.run([path, "--version"], check=False, capture_output=True).returncode == 0:
            return path
    return None


def others() -> list[object]:
    """Newer versions, newest first; all but the newest that is installed are benches."""
    versions = ["3.14", "3.13", "3.12"]
    newest = next((python for python in versions if found(python)), None)
    return [pytest.param(python, marks=[] if python == newest else pytest.mark.bench) for python in versions]


@pytest.mark.parametrize("python", others())
def test_another_python_gives_the_same_bits(python: str, tmp_path: Path) -> None:
    uv, other = str(UV) if UV.exists() else shutil.which("uv"), found(python)
    if uv is None or other is None:
        pytest.skip(f"no Python {python} here")
    write_folder(tmp_path / "data", 3_000, seed=1, malignant=60, test_lesions=600)
    (tmp_path / "quick.toml").write_text(QUICK)
    pins = [f"{name}=={number}" for name, number in requirements(networks=False).items()]
    run(uv, "venv", "--quiet", "--python", other, tmp_path / "other")
    into = ("pip", "install", "--quiet", "--python", tmp_path / "other/bin/python")
    run(uv, *into, *pins, *(f"{name}=={version(name)}" for name in MORE), "setuptools")
    run(uv, *into, "--no-deps", "--no-build-isolation", "--editable", ROOT)
    written = []
    for program in (PROGRAM, tmp_path / "other/bin/uglyduck"):
        folder = tmp_path / f"by{len(written)}"
        run(program, "run", tmp_path / "quick.toml", "--out", folder)
        run(program, "predict", folder, "--metadata", tmp_path / "data/test-metadata.csv", "--out", folder / "s.csv")
        written.append((folder / "s.csv").read_bytes())
    assert written[0] == written[1]
