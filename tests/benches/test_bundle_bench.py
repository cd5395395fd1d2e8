"""The bundle's kernel at the size of the hidden test set, within the budget that docs/bundle.md states."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from submissions.validation import validate_submission
from tests.benches.performance import Measured, measure, record

LESIONS = int(os.environ.get("UGLYDUCK_BENCH_LESIONS", "500000"))
CROPS = 4_000
MOST_SECONDS, MOST_GB = 600.0, 4.0
MOST_IMAGE_HOURS = 8.0
# Models and features as by default: what scoring costs does not depend on how many lesions they were trained on.
TABLE = '[data]\nmetadata = "data/train-metadata.csv"\n'
IMAGES = f"""{TABLE}images = "data/train-image.hdf5"
[features]
groups = ["basic", "tbp"]
[ensemble]
learners = ["lightgbm"]
"""


def kernel(folder: Path, config: str, patch: pytest.MonkeyPatch) -> Measured:
    """Train, bundle, and run the kernel on the test files of `folder/data`."""
    program = Path(sys.executable).with_name("uglyduck")
    (folder / "config.toml").write_text(config)
    measure(program, "run", folder / "config.toml", "--out", folder / "run")
    measure(program, "bundle", folder / "run", "--out", folder / "input/bundle")
    competition, output = folder / "input/isic-2024-challenge", folder / "output"
    competition.mkdir()
    output.mkdir()
    for path in (folder / "data").iterdir():
        if path.name in {"test-metadata.csv", "test-image.hdf5", "sample_submission.csv"}:
            shutil.move(path, competition)
    patch.setenv("UGLYDUCK_INPUT", str(folder / "input"))
    patch.setenv("UGLYDUCK_OUTPUT", str(output))
    measured = measure(sys.executable, folder / "input/bundle/kernel/submit.py")
    findings = validate_submission(output / "submission.csv", competition / "sample_submission.csv")
    assert [found for found in findings if found.is_error] == []
    return measured


@pytest.mark.bench
def test_the_kernel_keeps_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table, images = tmp_path / "table", tmp_path / "images"
    write_folder(table / "data", 6_000, seed=0, malignant=60, test_lesions=LESIONS)
    alone = kernel(table, TABLE, monkeypatch)
    write_folder(images / "data", 2_000, seed=0, malignant=60, test_lesions=CROPS, images=True)
    both = kernel(images, IMAGES, monkeypatch)
    hours = both.seconds / CROPS * LESIONS / 3600
    record(
        "The bundle's kernel",
        f"`kernel/submit.py`, process starts, unpacking and both submissions included; default features and 15 models "
        f"for the table alone, descriptors of crops measured on {CROPS:,}. Bounds: {MOST_SECONDS:.0f} s and "
        f"{MOST_GB:g} GB for the table alone, {MOST_IMAGE_HOURS:g} h with crops.",
        ("test lesions", "seconds", "peak GB"),
        (
            (f"{LESIONS:,}, table alone", f"{alone.seconds:.1f}", f"{alone.peak_gb:.2f}"),
            (f"{CROPS:,}, table and crops", f"{both.seconds:.1f}", f"{both.peak_gb:.2f}"),
            (f"{LESIONS:,}, table and crops, extrapolated", f"{hours * 3600:.0f} ({hours:.1f} h)", ""),
        ),
    )
    assert max(alone.peak_gb, both.peak_gb) <= MOST_GB
    assert alone.seconds <= MOST_SECONDS
    assert hours <= MOST_IMAGE_HOURS
