"""Crops: speed and memory, and what was painted next to real crops."""

from __future__ import annotations

import io
import resource
import time
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from PIL import Image

from cohort.simulator import simulate
from cohort.simulator.crops import paint, write_hdf5
from tests.benches.performance import record

LESIONS = 40_000
LEAST_PER_SECOND = 600
SAMPLE = 1500
DOCUMENT = Path(__file__).parents[2] / "docs" / "simulator-crops.md"
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


def rows_of(lesions: int, seed: int = 0) -> pl.DataFrame:
    simulated = simulate(lesions, seed=seed)
    return simulated.metadata.join(simulated.truth.drop("target"), on="isic_id", how="left", maintain_order="left")


def peak_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


@pytest.mark.bench
def test_speed_and_memory(tmp_path: Path) -> None:
    rows = rows_of(LESIONS)
    write_hdf5(rows.head(2000), tmp_path / "warm.hdf5", seed=0)
    before, start = peak_gb(), time.perf_counter()
    write_hdf5(rows, tmp_path / "train-image.hdf5", seed=0, workers=2)
    seconds, grown = time.perf_counter() - start, peak_gb() - before
    record(
        "Simulated crops",
        f"{LESIONS:,} crops painted and written to HDF5 by two worker processes, their start included."
        f" Bound: at least {LEAST_PER_SECOND} per second, memory that does not grow with their number.",
        ["crops per second", "growth of memory after the first 2,000, MB"],
        [[f"{LESIONS / seconds:.0f}", f"{1000 * grown:.0f}"]],
    )
    assert LESIONS / seconds >= LEAST_PER_SECOND
    assert grown < 0.1


def measures(jpeg: bytes) -> dict[str, float]:
    """What a crop is compared by: size, colours, contrast in rings, and the detail of its skin by wavelength."""
    levels = np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), np.float64)
    side = len(levels)
    line = (np.arange(side) - (side - 1) / 2) * 15 / side
    far = np.hypot(*np.meshgrid(line, line))
    skin = np.median(levels[far > 4], axis=0)
    grey = levels.mean(axis=2)
    window = np.hanning(side)[:, None] * np.hanning(side)
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2 / (window**2).sum() / side**2
    cycles = np.hypot(*np.meshgrid(np.fft.fftfreq(side, 15 / side), np.fft.fftfreq(side, 15 / side)))
    found = {"side, pixels": side, "file, bytes": len(jpeg)}
    for channel, name in enumerate(("red", "green", "blue")):
        found[f"mean {name}"] = levels[..., channel].mean()
        found[f"standard deviation of {name}"] = levels[..., channel].std()
        found[f"{name} of the middle 0.8 mm over that of the skin"] = levels[far < 0.8, channel].mean() - skin[channel]
    for low, high in ((0, 0.8), (0.8, 1.6), (1.6, 2.6), (2.6, 4.0)):
        found[f"grey {low} to {high} mm from the centre over that of the skin"] = (
            grey[(far >= low) & (far < high)].mean() - skin.mean()
        )
    for low, high in ((0.06, 0.3), (0.3, 0.6), (0.6, 1.2), (1.2, 2.4), (2.4, 4.2)):
        band = (cycles >= low) & (cycles < high)
        found[f"grey amplitude from {low} to {high} cycles/mm"] = float(np.sqrt(power[band].sum()))
    return found


@pytest.mark.bench
def test_beside_real_crops(real_data: Path) -> None:
    """Writes the table of docs/simulator-crops.md; medians of benign crops must agree within a third of the spread."""
    folder = real_data / "slice3d"
    labels = pl.read_csv(folder / "crops.csv", infer_schema_length=None).filter(pl.col("target") == 0)
    with h5py.File(folder / "train-image.hdf5") as file:
        real = [measures(bytes(file[key][()])) for key in labels.sample(SAMPLE, seed=0)["isic_id"]]
    rows = rows_of(60 * SAMPLE)  # of some 200 patients: few patients would lend the table their own skin
    rows = rows.filter((pl.col("target") == 0) & (pl.col("copyright_license") != "CC-BY-NC")).sample(SAMPLE, seed=0)
    painted = [measures(jpeg) for _, jpeg in paint(rows, seed=0)]
    lines = [f"| quantity | real, {SHARES_TEXT} % | simulated, {SHARES_TEXT} % |", "| --- | --- | --- |"]
    for name in real[0]:
        ours, theirs = (np.quantile([found[name] for found in crops], SHARES) for crops in (painted, real))
        digits = 0 if name.startswith(("side", "file")) else 1
        lines.append(f"| {name} | {_numbers(theirs, digits)} | {_numbers(ours, digits)} |")
        assert abs(ours[2] - theirs[2]) < (theirs[4] - theirs[0]) / 3, name
    head, _, rest = DOCUMENT.read_text("utf-8").partition("<!-- compared -->\n")
    DOCUMENT.write_text(
        "\n".join([f"{head}<!-- compared -->", *lines, f"<!-- end -->{rest.partition('<!-- end -->')[2]}"])
    )


SHARES_TEXT = ", ".join(f"{100 * share:g}" for share in SHARES)


def _numbers(values: np.ndarray, digits: int) -> str:
    return " ".join(f"{value:.{digits}f}" for value in values)
