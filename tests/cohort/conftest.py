"""Small simulated tables of every dataset; the exact relations of SLICE-3D hold in them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.columns import SLICE3D, TEST_COLUMNS

Rows = Callable[..., pl.DataFrame]
Write = Callable[..., Path]


def _slice3d(lesions: int = 12, *, seed: int = 0, start: int = 0) -> pl.DataFrame:
    """`lesions` rows of 55 columns: 4 patients, every fifth lesion malignant, numbers within the plausible ranges."""
    generator = np.random.Generator(np.random.PCG64(seed))
    target = np.arange(lesions) % 5 == 0
    data: dict[str, object] = {}
    for column in SLICE3D:
        if column.low is not None and column.high is not None:
            data[column.name] = generator.uniform(max(column.low, 0), column.high, lesions)
        else:
            data[column.name] = generator.choice([f"{column.name} 1", f"{column.name} 2"], lesions)
    data |= {
        "isic_id": [f"ISIC_{start + number:07d}" for number in range(lesions)],
        "patient_id": [f"IP_{start + number % 4:07d}" for number in range(lesions)],
        "target": target.astype(np.int8),
        "age_approx": generator.integers(1, 18, lesions) * 5.0,
        "iddx_1": np.where(target, "Malignant", "Benign"),
    }
    # Drawn so that what follows from them stays plausible as well.
    drawn = {"A": 20, "Aext": 15, "B": 28, "Bext": 26, "L": 40, "Lext": 50, "areaMM2": 8, "perimeterMM": 12}
    data |= {f"tbp_lv_{name}": generator.uniform(0.9, 1.1, lesions) * middle for name, middle in drawn.items()}
    return _with_relations(pl.DataFrame(data)).select(column.name for column in SLICE3D)


def _with_relations(frame: pl.DataFrame) -> pl.DataFrame:
    def column(name: str) -> np.ndarray:
        return frame[f"tbp_lv_{name}"].to_numpy()

    derived = {
        "C": np.hypot(column("A"), column("B")),
        "Cext": np.hypot(column("Aext"), column("Bext")),
        "H": np.degrees(np.arctan2(column("B"), column("A"))),
        "Hext": np.degrees(np.arctan2(column("Bext"), column("Aext"))),
        "deltaA": column("A") - column("Aext"),
        "deltaB": column("B") - column("Bext"),
        "deltaL": column("L") - column("Lext"),
        "area_perim_ratio": column("perimeterMM") ** 2 / column("areaMM2"),
    }
    return frame.with_columns(pl.Series(f"tbp_lv_{name}", values) for name, values in derived.items())


@pytest.fixture(scope="session")
def slice3d() -> Rows:
    """A function that makes a SLICE-3D train table with all 55 columns."""
    return _slice3d


@pytest.fixture(scope="session")
def slice3d_test() -> Rows:
    """A function that makes a SLICE-3D test table with 44 columns."""
    return lambda *args, **kwargs: _slice3d(*args, **kwargs).select(TEST_COLUMNS)


@pytest.fixture(scope="session")
def isic2020() -> pl.DataFrame:
    """Version 2 of the ISIC 2020 ground truth: 6 images of 3 patients, 2 malignant."""
    return pl.DataFrame(
        {
            "image_name": [f"ISIC_{number}" for number in (6, 5, 4, 3, 2, 1)],
            "patient_id": ["IP_1", "IP_1", "IP_2", "IP_2", "IP_3", "IP_3"],
            "lesion_id": [f"IL_{number}" for number in range(6)],
            "sex": ["male", "male", "female", "female", None, None],
            "age_approx": ["45", "45", "50", "50", None, None],
            "anatom_site_general_challenge": ["torso", "torso", None, "head/neck", "torso", "palms/soles"],
            "diagnosis": ["unknown", "melanoma", "nevus", "unknown", "melanoma", "unknown"],
            "benign_malignant": ["benign", "malignant", "benign", "benign", "malignant", "benign"],
            "target": [0, 1, 0, 0, 1, 0],
        }
    )


@pytest.fixture(scope="session")
def ham10000() -> pl.DataFrame:
    """HAM10000 metadata: one image of each diagnosis, the first two of one lesion."""
    return pl.DataFrame(
        {
            "lesion_id": ["HAM_2", "HAM_2", "HAM_1", "HAM_3", "HAM_4", "HAM_5", "HAM_6"],
            "image_id": [f"ISIC_{number}" for number in range(1, 8)],
            "dx": ["mel", "nv", "bcc", "akiec", "bkl", "df", "vasc"],
            "dx_type": ["histo"] * 7,
            "age": ["80", "", "75.0", "45", "45", "50", "0"],
            "sex": ["male", "unknown", "female", "male", "male", "female", "male"],
            "localization": ["scalp", "unknown", "back", "ear", "foot", "trunk", "face"],
        }
    )


@pytest.fixture(scope="session")
def isic2018() -> pl.DataFrame:
    """The one-hot ground truth of 7 images, one of each diagnosis in the order of the columns."""
    names = ["MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC"]
    one_hot = {name: [float(row == position) for row in range(7)] for position, name in enumerate(names)}
    return pl.DataFrame({"image": [f"ISIC_{number}" for number in range(1, 8)], **one_hot})


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A function that writes a frame (CSV or Parquet by suffix), text or bytes under a name, and returns the path."""

    def _write(content: pl.DataFrame | str | bytes, name: str = "table.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.write_text(content, "utf-8")
        elif path.suffix == ".parquet":
            content.write_parquet(path)
        else:
            content.write_csv(path)
        return path

    return _write
