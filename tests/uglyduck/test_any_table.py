"""Tables as people have them, as far as figures: columns that hold nothing, labels alone, crops and labels alone."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from cohort.columns import ONE_HOT
from tests.uglyduck.conftest import QUICK, Command

Tables = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture(scope="module")
def tables(small: Path) -> Tables:
    """The train and the test table, as text."""
    train, test = (pl.read_csv(small / f"data/{name}-metadata.csv", infer_schema=False) for name in ("train", "test"))
    return train, test


def config(folder: Path, table: pl.DataFrame, more: str = "") -> Path:
    """QUICK for another table, in a folder of its own."""
    table.write_csv(folder / "table.csv")
    path = folder / "any.toml"
    path.write_text(
        QUICK.replace("n_folds = 3", "n_folds = 2").replace('"data/train-metadata.csv"', f'"table.csv"\n{more}')
    )
    return path


def hollow(table: pl.DataFrame) -> pl.DataFrame:
    """A table of which a third of the columns is empty, a third holds one value, and some are not there."""
    return table.drop("tbp_lv_x", "tbp_lv_stdL", "attribution").with_columns(
        pl.lit(None, pl.String).alias("age_approx"),
        pl.lit(None, pl.String).alias("anatom_site_general"),
        pl.lit(None, pl.String).alias("tbp_lv_stdLExt"),
        pl.lit(None, pl.String).alias("tbp_lv_areaMM2"),
        pl.lit(None, pl.String).alias("tbp_lv_y"),
        pl.lit("male").alias("sex"),
        pl.lit("4.5").alias("clin_size_long_diam_mm"),
        pl.lit("50").alias("tbp_lv_L"),
        pl.lit("the same").alias("tbp_lv_location"),
    )


def test_columns_that_hold_nothing_stop_no_command(tables: Tables, tmp_path: Path, command: Command) -> None:
    train, test = map(hollow, tables)
    done = command("run", config(tmp_path, train), "--out", tmp_path / "run")
    assert "columns of the dataset that the table lacks (UD115): 3: tbp_lv_stdL, tbp_lv_x, attribution" in done.stderr
    test.write_csv(tmp_path / "test.csv")
    said = command("check", tmp_path / "table.csv", "--json").stdout
    found = {one["code"]: one["values"] for one in json.loads(said)["findings"] if one["status"] == "found"}
    assert {"UD115", "UD120", "UD123"} <= found.keys()
    for call in (
        ["predict", "--metadata", tmp_path / "test.csv", "--out", tmp_path / "submission.csv"],
        ["rank", "--metadata", tmp_path / "test.csv", "--out", tmp_path / "ranking.csv"],
        ["rank", "--out", tmp_path / "own.csv"],
        ["check", "--metadata", tmp_path / "test.csv"],
        ["explain", "--sample", "400"],
        ["ablate", "--groups", "basic,context", "--leave-out", "--learners", "lightgbm"],
        ["hospitals"],
        ["report"],
        ["card"],
    ):
        command(call[0], tmp_path / "run", *call[1:])


@pytest.fixture
def truth_alone(tables: Tables) -> pl.DataFrame:
    """The ground truth of ISIC 2018, made up: ids and seven columns of labels."""
    malignant = tables[0]["target"] == "1"
    one_hot = {name: pl.when(malignant == (name == "MEL")).then(pl.lit(name in {"MEL", "NV"})) for name in ONE_HOT}
    frame = tables[0].select(pl.col("isic_id").alias("image"), **one_hot)
    return frame.select("image", pl.col(ONE_HOT).fill_null(value=False).cast(pl.Int8))


def labels_alone(tables: Tables) -> pl.DataFrame:
    return tables[0].select("isic_id", "target")


@pytest.mark.parametrize("kind", ["truth", "labels", "constants"])
def test_a_table_without_any_usable_column_is_refused_at_once(
    tables: Tables, truth_alone: pl.DataFrame, tmp_path: Path, command: Command, kind: str
) -> None:
    constants = labels_alone(tables).with_columns(sex=pl.lit("male"), age_approx=pl.lit(None, pl.String))
    table = {"truth": truth_alone, "labels": labels_alone(tables), "constants": constants}[kind]
    done = command("run", config(tmp_path, table, "ungrouped = true"), "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].endswith(
        "table.csv: no column besides ids and labels differs between lesions, so there is nothing to learn from. "
        "give a table with measurements, or crops as [data] images."
    )
    assert not (tmp_path / "run/lesions.parquet").exists()


@pytest.mark.parametrize(
    ("fusion", "blended"), [("early", {"lightgbm", "xgboost", "catboost"}), ("late", {"crops"})], ids=["early", "late"]
)
def test_crops_and_labels_alone_are_enough(
    *, small: Path, tables: Tables, tmp_path: Path, command: Command, fusion: str, blended: set[str]
) -> None:
    truth = pl.read_parquet(small / "data/truth.parquet")
    truth.select("isic_id", score="p_crop").write_parquet(tmp_path / "scores.parquet")
    path = config(tmp_path, labels_alone(tables), 'ungrouped = true\nimage_scores = "scores.parquet"')
    text = path.read_text().replace('"context"]', '"context", "image"]')
    path.write_text(text.replace("[ensemble]\n", f'[ensemble]\nfusion = "{fusion}"\n'))
    done = command("run", path, "--out", tmp_path / "run")
    metrics = json.loads((tmp_path / "run/metrics.json").read_text())
    assert metrics["scores"].keys() - {"blend", "image"} == blended  # and no "table", which says the same of all
    assert metrics["scores"]["blend"]["pooled"]["auc"]["estimate"] > 0.7
    assert ("catboost is left out" in done.stderr) == (fusion == "late")
    command("report", tmp_path / "run")
