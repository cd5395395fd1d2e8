"""The bundle's kernel on a machine of old libraries without network: `make test-old-kernel`, which downloads both."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from tests.uglyduck.conftest import PICTURED, PROGRAM

#: As the images of code competitions had them for long; there is no tomli-w and no polars-runtime.
OLD = (
    *("numpy==1.26.4", "scikit-learn==1.2.2", "xgboost==2.0.3", "typer==0.16.0", "polars==1.25.2", "lightgbm==4.5.0"),
    *("catboost==1.2.7", "pandas==2.2.3", "pyarrow==19.0.1", "scipy==1.13.1", "h5py==3.12.1", "pillow==11.1.0"),
    *("pydantic==2.10.6", "rich==13.9.4"),
)


@pytest.mark.bench
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the old libraries have no wheels for a newer Python")
def test_an_old_machine_without_network_gives_the_bits_of_home(tmp_path: Path) -> None:
    data, home, output = tmp_path / "data", tmp_path / "home.csv", tmp_path / "output"
    competition = tmp_path / "input/isic-2024-challenge"
    write_folder(data, 600, seed=3, malignant=40, test_lesions=150, images=True)
    (tmp_path / "pictured.toml").write_text(
        PICTURED.replace('["lightgbm", "xgboost"]', '["lightgbm", "xgboost", "catboost"]')
    )
    run(PROGRAM, "run", tmp_path / "pictured.toml", "--out", tmp_path / "run")
    new = ("--metadata", data / "test-metadata.csv", "--images", data / "test-image.hdf5")
    run(PROGRAM, "predict", tmp_path / "run", *new, "--out", home)
    run(PROGRAM, "bundle", tmp_path / "run", "--out", tmp_path / "input/bundle", "--download-wheels")
    run(sys.executable, "-m", "venv", tmp_path / "old")
    run(tmp_path / "old/bin/python", "-m", "pip", "install", "--quiet", *OLD)
    competition.mkdir()
    output.mkdir()
    for name in ("test-metadata.csv", "test-image.hdf5", "sample_submission.csv"):
        shutil.move(data / name, competition)
    environment = {**os.environ, "UGLYDUCK_INPUT": str(tmp_path / "input"), "UGLYDUCK_OUTPUT": str(output)}
    offline = ("unshare", "--map-root-user", "--net", tmp_path / "old/bin/python")
    said = run(*offline, tmp_path / "input/bundle/kernel/submit.py", environment=environment)
    assert "scored from table and crops" in said
    assert (output / "submission.csv").read_bytes() == home.read_bytes()


def run(*call: str | Path, environment: dict[str, str] | None = None) -> str:
    return subprocess.run(list(map(str, call)), check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
