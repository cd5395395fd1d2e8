"""Places, mistakes, ugly ducklings and strips by hand; where the data come from; who is in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.simulator import write_folder
from cohort.stores.protocol import Crop, CropError
from features.builtin import builtin_state
from submissions.report.cohort_counts import cohort_counts
from submissions.report.gallery import gallery
from submissions.report.mistakes import mistakes, placed
from submissions.report.origin import find_origin, origin_of
from submissions.report.scatter_strips import DRAWN, strip
from submissions.report.thumbnails import SIDE, thumbnails


def test_places_and_mistakes_by_hand() -> None:
    scores = pl.DataFrame(
        {
            "isic_id": list("abcde"),
            "patient_id": ["p", "p", "p", "q", "q"],
            "target": pl.Series([1, 0, 0, 1, 0], dtype=pl.Int8),
            "blend": [0.9, 0.5, 0.5, 0.1, 0.7],
            "age_approx": [45.0, None, 50.0, 50.0, 50.0],
            "iddx_full": ["Malignant::Melanoma", None, None, None, None],
        }
    )
    found = placed(scores)
    assert found["place"].to_list() == [1, 3, 3, 5, 2]
    assert found["rank"].to_list() == [1, 2, 2, 2, 1]
    assert found["of"].to_list() == [3, 3, 3, 2, 2]
    told = mistakes(found)
    assert [row["isic_id"] for row in told["misses"]] == ["d", "a"]
    assert [row["isic_id"] for row in told["alarms"]] == ["e", "b", "c"]
    assert told["misses"][1]["known"] == ["Malignant › Melanoma", "45 years"]


def _patient(name: str, *, lesions: int, highest: float) -> pl.DataFrame:
    """One patient whose first lesion is three times as large as the others and scores highest."""
    return pl.DataFrame(
        {
            "isic_id": [f"{name}{number:04d}" for number in range(lesions)],
            "patient_id": name,
            "target": pl.Series([1, *[0] * (lesions - 1)], dtype=pl.Int8),
            "blend": [highest, *np.linspace(0.4, 0.0, lesions - 1)],
            "clin_size_long_diam_mm": [9.0, *(3.0 + np.arange(lesions - 1) % 5 / 10)],
            "tbp_lv_H": 60.0 + np.arange(lesions) % 7,
            "tbp_lv_deltaL": -10.0 + np.arange(lesions) % 3,
        }
    )


def test_ducklings_are_chosen_by_score_from_patients_with_enough_lesions() -> None:
    table = pl.concat(
        [
            _patient("p", lesions=30, highest=0.8),
            _patient("q", lesions=9, highest=0.99),
            _patient("r", lesions=12, highest=0.9),
        ]
    )
    told = gallery(placed(table), table, builtin_state())
    assert [(entry["isic_id"], entry["place"], entry["of"]) for entry in told] == [("r0000", 2, 12), ("p0000", 3, 30)]
    assert told[1]["reasons"][0] == "the largest of this patient's 30 lesions (9.0 mm, median 3.2 mm)"
    assert len(told[0]["others"]) == 11
    assert len(told[1]["others"]) == 14
    assert told[1]["strip"]["x"]["name"] == "clin_size_long_diam_mm"
    assert told[1]["drivers"] == []


def test_a_strip_shows_the_reason_first_and_something_else_second() -> None:
    patient = _patient("p", lesions=1_000, highest=0.8)
    shown = strip(patient, "p0000", "tbp_lv_H")
    assert shown is not None
    assert (shown["x"]["name"], shown["y"]["name"]) == ("tbp_lv_H", "clin_size_long_diam_mm")
    assert shown["flagged"] == [60.0, 9.0]
    assert shown["of"] == 1_000
    assert len(shown["points"]) == 333  # 999 others, every third
    assert len(shown["points"]) <= DRAWN


def test_one_measurement_makes_no_strip() -> None:
    patient = _patient("p", lesions=20, highest=0.8)
    assert strip(patient.select("isic_id", "blend", "tbp_lv_H"), "p0000") is None
    unknown = patient.with_columns(pl.lit(None, dtype=pl.Float64).alias(name) for name in ("tbp_lv_H", "tbp_lv_deltaL"))
    assert strip(unknown, "p0000") is None


def test_origin(tmp_path: Path) -> None:
    made = write_folder(tmp_path, 300, seed=1, malignant=20)
    ids, table = made.metadata["isic_id"], tmp_path / "train-metadata.csv"
    found = find_origin(table, ids)
    assert found["kind"] == "simulated"
    assert origin_of(found, simulated=False, stated="real")["kind"] == "simulated", "nobody can talk it real"
    assert find_origin(table, pl.Series(["ISIC_X"]))["kind"] == "unknown", "the truth of other lesions"
    (tmp_path / "truth.parquet").unlink()
    unknown = find_origin(table, ids)
    assert unknown["kind"] == "unknown"
    assert origin_of(unknown, simulated=False)["kind"] == "unknown"
    assert origin_of(unknown, simulated=False, stated="real")["kind"] == "real"
    assert origin_of(unknown, simulated=True, stated="real")["kind"] == "simulated"


def test_people_by_hand() -> None:
    told = cohort_counts(
        pl.DataFrame(
            {
                "patient_id": ["p", "p", "q"],
                "age_approx": [40.0, None, 60.0],
                "sex": ["male", "male", "female"],
                "copyright_license": ["CC-0", "CC-BY", "CC-BY"],
            }
        )
    )
    assert told["licences"] == [
        {"name": "CC-BY", "lesions": 2, "patients": 2},
        {"name": "CC-0", "lesions": 1, "patients": 1},
    ]
    assert told["hospitals"] == []
    assert (told["age"]["low"], told["age"]["high"]) == (40, 60)
    assert told["lesions_per_patient"]["high"] == 2
    assert told["missing"] == {"age_approx": pytest.approx(1 / 3)}


class _Store:
    """Crops in memory, one of them bad."""

    path = Path("nowhere")
    ids = ("a", "bad")

    def read(self, isic_id: str) -> Crop:
        if isic_id == "bad":
            raise CropError(isic_id, "cut short", where="memory", remedy="none")
        return Crop(isic_id, np.full((40, 60, 3), (200, 30, 30), dtype=np.uint8), 1)

    def close(self) -> None:
        pass


def test_thumbnails_leave_bad_crops_out() -> None:
    import base64
    import io

    from PIL import Image

    found = thumbnails(_Store(), ["a", "bad", "a"])
    assert set(found) == {"a"}
    head, data = found["a"].split(",")
    assert head == "data:image/jpeg;base64"
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert picture.size == (SIDE, SIDE)
    red, green, _ = picture.getpixel((48, 48))  # type: ignore[misc]  # an RGB picture's pixel
    assert red > 180
    assert green < 60
