"""A small store of simulated crops whose malignant lesions are larger, darker and redder."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from cohort.stores.hdf5 import Hdf5Store
from cohort.stores.protocol import Crop
from image_embeddings.spec import Spec
from uglyduck.commands.images import images

SKIN = (205, 160, 135)


def disc(
    radius: float,
    colour: tuple[int, int, int],
    *,
    size: int = 128,
    centre: tuple[float, float] = (0.0, 0.0),
    stretch: float = 1.0,
    noise: float = 0.0,
    seed: int = 0,
) -> NDArray[np.uint8]:
    """A lesion of `radius` (share of the half width), `stretch` times as wide as high, on skin."""
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    inside = np.hypot((axis[None, :] - centre[0]) / stretch, axis[:, None] - centre[1]) < radius
    picture = np.where(inside[:, :, None], colour, SKIN).astype(float)
    picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


def crop_of(pixels: NDArray[np.uint8], isic_id: str = "ISIC_1", n_bytes: int = 3000) -> Crop:
    return Crop(isic_id, pixels, n_bytes)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def simulate(
    folder: Path, n_benign: int = 60, n_malignant: int = 20, size: int = 64, *, first: int = 0
) -> SimpleNamespace:
    """A table and its crops, numbered from `first`; two lesions a patient; every malignant lesion has a diagnosis."""
    chance = np.random.default_rng(5)
    target = np.array([0] * n_benign + [1] * n_malignant)
    ids = [f"ISIC_{first + place:07}" for place in range(len(target))]
    with h5py.File(folder / "train-image.hdf5", "w") as file:
        for place, (isic_id, malignant) in enumerate(zip(ids, target, strict=True)):
            colour = (150, 70, 70) if malignant else (170, 120, 95)
            radius = chance.uniform(0.35, 0.6) if malignant else chance.uniform(0.15, 0.3)
            file[isic_id] = np.bytes_(jpeg(disc(radius, colour, size=size, noise=6, seed=place)))
    frame = pl.DataFrame(
        {
            "isic_id": ids,
            "patient_id": [f"IP_{(first + place) // 2:07}" for place in range(len(target))],
            "target": target,
            "age_approx": chance.integers(4, 17, len(target)) * 5.0,
            "sex": ["male", "female"] * (len(target) // 2),
            "anatom_site_general": ["anterior torso", None] * (len(target) // 2),
            "clin_size_long_diam_mm": chance.uniform(2, 9, len(target)).round(2),
            "attribution": "Clinic",
            "copyright_license": "CC-0",
            "lesion_id": [
                f"IL_{place:07}" if place % 3 == 0 or target[place] else None for place in range(len(target))
            ],
            "iddx_full": [
                f"Malignant::{'Malignant melanocytic proliferations' if place % 2 else 'Basal cell carcinoma'}"
                if malignant
                else "Benign"
                for place, malignant in enumerate(target)
            ],
        }
    )
    write_table(frame, folder / "train-metadata.csv")
    images = folder / "train-image.hdf5"
    return SimpleNamespace(metadata=folder / "train-metadata.csv", images=images, frame=frame, store=Hdf5Store(images))


def write_table(frame: pl.DataFrame, path: Path) -> Path:
    """The rows as an ISIC 2020 table, which has the fewest columns; without patients where the frame has none."""
    malignant = pl.col("target") == 1
    columns = {
        "image_name": "isic_id",
        **({"patient_id": "patient_id"} if "patient_id" in frame.columns else {}),
        "sex": "sex",
        "age_approx": "age_approx",
        "anatom_site_general_challenge": "anatom_site_general",
    }
    table = frame.select(pl.col(theirs).alias(name) for name, theirs in columns.items())
    if "target" in frame.columns:
        table = table.with_columns(
            frame.select(
                diagnosis=pl.when(malignant)
                .then(pl.lit("melanoma"))
                .otherwise(pl.when(pl.col("lesion_id").is_null()).then(pl.lit("unknown")).otherwise(pl.lit("nevus"))),
                benign_malignant=pl.when(malignant).then(pl.lit("malignant")).otherwise(pl.lit("benign")),
                target=pl.col("target"),
            )
        )
    table.write_csv(path)
    return path


def run(*arguments: object) -> str:
    """What `uglyduck images` prints for these arguments.

    Raises:
        Exception: What the command raises.
    """
    result = CliRunner().invoke(images, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def some_spec(**changed: object) -> Spec:
    """The description of a model of descriptors and two folds."""
    told = dict.fromkeys(("crops_sha256", "labels_sha256", "folds_sha256", "code_sha256"), "0" * 64)
    none = dict.fromkeys(("preset", "weights_sha256", "reduce_to"))
    classes = {"classes": ("benign", "malignant"), "malignant": (False, True)}
    counts = {"n_sites": 0, "n_folds": 2, "repeats": 1, "seed": 0}
    kind = {"kind": "descriptors", "policy": "mean", "ungrouped": False, "download": False, "libraries": {}}
    return Spec.model_validate({**told, **none, **classes, **counts, **kind, **changed})


@pytest.fixture(scope="session")
def crops(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    return simulate(tmp_path_factory.mktemp("crops"))


@pytest.fixture(scope="session")
def draw() -> SimpleNamespace:
    """The drawing functions, for tests, which cannot import this file."""
    return SimpleNamespace(skin=SKIN, disc=disc, crop_of=crop_of, jpeg=jpeg, simulate=simulate, write_table=write_table)
