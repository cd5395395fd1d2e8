"""A simulated cohort as the official files."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.columns import TEST_COLUMNS
from cohort.files import atomic_path, write_parquet
from cohort.simulator.cohort import simulate


def write_folder(
    out: Path,
    n_lesions: int,
    *,
    seed: int = 0,
    images: bool = False,
    test_lesions: int | None = None,
    malignant: int | None = None,
) -> None:
    """Write train-metadata.csv, test-metadata.csv, sample_submission.csv, truth.parquet and test-truth.parquet.

    Args:
        out: Folder; made where it is missing.
        n_lesions: Lesions of the train table.
        seed: Same seed, same bytes.
        images: Also write train-image.hdf5 and test-image.hdf5.
        test_lesions: Lesions of the test table (other patients); a quarter of `n_lesions` by default, at least 50.
        malignant: Malignant lesions of the train table; the published prevalence by default.
    """
    out = Path(out)
    train = simulate(n_lesions, seed=seed, malignant=malignant)
    test = simulate(max(50, n_lesions // 4) if test_lesions is None else test_lesions, seed=seed, part="test")
    _write_csv(train.metadata, out / "train-metadata.csv")
    _write_csv(test.metadata.select(TEST_COLUMNS), out / "test-metadata.csv")
    _write_csv(test.metadata.select("isic_id", pl.lit(0.3).alias("target")), out / "sample_submission.csv")
    write_parquet(train.truth, out / "truth.parquet")
    write_parquet(test.truth, out / "test-truth.parquet")
    if images:
        from cohort.simulator.crops import write_hdf5  # noqa: PLC0415 - only where asked for

        for name, part in (("train", train), ("test", test)):
            rows = part.metadata.join(part.truth.drop("target"), on="isic_id", how="left", maintain_order="left")
            write_hdf5(rows, out / f"{name}-image.hdf5", seed=seed)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Official formatting: ages as 45.0 and NA, whole angles, every other missing value empty."""
    columns = []
    if "age_approx" in frame.columns:
        columns = [
            pl.col("age_approx").cast(pl.String).fill_null("NA"),
            pl.col("tbp_lv_symm_2axis_angle").cast(pl.Int64),
        ]
    with atomic_path(path) as temporary:
        frame.with_columns(columns).write_csv(temporary)
