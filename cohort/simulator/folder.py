"""Writes a simulated cohort as the official files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.columns import TEST_COLUMNS
from cohort.simulator.cohort import SMALLEST, Simulated, simulate
from engine.errors import InputError
from engine.files import atomic_path, write_parquet

FILES = (
    *("train-metadata.csv", "test-metadata.csv", "sample_submission.csv", "truth.parquet", "test-truth.parquet"),
    *("train-image.hdf5", "test-image.hdf5"),
)
"""What `write_folder` may write."""
_PLACEHOLDER = 0.3
"""The constant in the official sample submission."""


def write_folder(
    out: Path,
    n_lesions: int,
    *,
    seed: int = 0,
    images: bool = False,
    test_lesions: int | None = None,
    malignant: int | None = None,
    shift: str | None = None,
) -> Simulated:
    """Write a train and a test cohort under the official names.

    train-metadata.csv (55 columns), test-metadata.csv (44), sample_submission.csv, truth.parquet and
    test-truth.parquet (`Simulated.truth`), and with `images` train-image.hdf5 and test-image.hdf5.

    Args:
        out: Folder; created if missing.
        n_lesions: Lesions of the train table.
        seed: Same seed and arguments, same bytes.
        images: Also draw the crops.
        test_lesions: Lesions of the test table, of other patients; by default a quarter of `n_lesions`, at least 50.
        malignant: Malignant lesions of the train table; see `simulate`.
        shift: Population of the test table, see `simulate`; the train table's by default.

    Returns:
        The train cohort.

    Raises:
        InputError: An argument is out of range, or the folder cannot be written to.
    """
    out = Path(out)
    train = simulate(n_lesions, seed=seed, malignant=malignant)
    n_test = max(SMALLEST, n_lesions // 4) if test_lesions is None else test_lesions
    test = simulate(n_test, seed=seed, part="test", shift=shift)
    write_csv(train.metadata, out / "train-metadata.csv")
    write_csv(test.metadata.select(TEST_COLUMNS), out / "test-metadata.csv")
    write_csv(test.metadata.select("isic_id", pl.lit(_PLACEHOLDER).alias("target")), out / "sample_submission.csv")
    write_parquet(train.truth, out / "truth.parquet")
    write_parquet(test.truth, out / "test-truth.parquet")
    if images:
        _write_images(train, out / "train-image.hdf5", seed)
        _write_images(test, out / "test-image.hdf5", seed)
    return train


def refuse_existing(out: Path, *, remedy: str) -> None:
    """Refuse a folder that holds a cohort, simulated or not.

    Raises:
        InputError: It does.
    """
    found = [name for name in FILES if (Path(out) / name).exists()]
    if found:
        raise InputError(f"a cohort is there already ({found[0]})", where=str(out), remedy=remedy)


def write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as the official files are: ages as 45.0 or NA, whole angles, other missing values empty."""
    formats = {
        "age_approx": pl.col("age_approx").cast(pl.String).fill_null("NA"),
        "tbp_lv_symm_2axis_angle": pl.col("tbp_lv_symm_2axis_angle").cast(pl.Int64),
    }
    with atomic_path(path) as temporary:
        frame.with_columns(value for name, value in formats.items() if name in frame.columns).write_csv(temporary)


def _write_images(cohort: Simulated, path: Path, seed: int) -> None:
    from cohort.simulator.crops import write_hdf5  # noqa: PLC0415 - tables alone need no drawing

    rows = cohort.metadata.join(
        cohort.truth.drop("target"), on="isic_id", how="left", validate="1:1", maintain_order="left"
    )
    write_hdf5(rows, path, seed=seed)
