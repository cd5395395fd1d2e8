import json
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq
import pytest

import features.writing
from engine.errors import InputError
from features import GROUPS, FeatureState, build, build_parquet, fit, run_stage

EVERY = tuple(GROUPS)


@pytest.fixture(scope="module")
def simulated(simulated: pl.DataFrame) -> pl.DataFrame:
    """A few of the simulated patients, about 300 lesions."""
    sizes = simulated.group_by("patient_id").len().filter(pl.col("len") < 120).sort("patient_id")
    return simulated.filter(pl.col("patient_id").is_in(sizes["patient_id"].head(8).implode()))


@pytest.fixture(autouse=True)
def small_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.writing, "ROW_GROUP", 64)
    monkeypatch.setattr(features.patients.block, "BLOCK_ROWS", 50)


def test_in_order_same_bits_as_in_memory(simulated: pl.DataFrame, tmp_path: Path) -> None:
    simulated.write_parquet(tmp_path / "in.parquet", row_group_size=100)
    plan = build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet", EVERY)
    written = pl.read_parquet(tmp_path / "out.parquet")
    assert written.equals(build(simulated, EVERY))
    assert [spec.name for spec in plan.specs] == written.columns[1:]
    assert pq.ParquetFile(tmp_path / "out.parquet").metadata.num_row_groups > 2


@pytest.mark.parametrize("seed", [1, 2])
def test_out_of_order_same_bits_as_in_memory(simulated: pl.DataFrame, tmp_path: Path, seed: int) -> None:
    shuffled = simulated.sample(fraction=1, shuffle=True, seed=seed)
    shuffled.write_parquet(tmp_path / "in.parquet", row_group_size=100)
    build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet", EVERY)
    written = pl.read_parquet(tmp_path / "out.parquet")
    assert written.sort("isic_id").equals(build(simulated, EVERY).sort("isic_id"))
    assert [path.name for path in tmp_path.iterdir()] in (["in.parquet", "out.parquet"], ["out.parquet", "in.parquet"])


def test_patients_together_but_rows_not_in_order(simulated: pl.DataFrame, tmp_path: Path) -> None:
    patients = simulated["patient_id"].unique(maintain_order=True).reverse().to_frame()
    turned = patients.join(simulated.reverse(), on="patient_id", how="left", maintain_order="left_right")
    turned.write_parquet(tmp_path / "in.parquet")
    build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet", EVERY)
    written = pl.read_parquet(tmp_path / "out.parquet")
    assert written.sort("isic_id").equals(build(simulated, EVERY).sort("isic_id"))


def test_an_empty_table(simulated: pl.DataFrame, tmp_path: Path) -> None:
    simulated.clear().write_parquet(tmp_path / "in.parquet")
    build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").equals(build(simulated.clear()))


def test_three_patients_of_one_lesion(simulated: pl.DataFrame, tmp_path: Path) -> None:
    few = simulated.group_by("patient_id", maintain_order=True).head(1).head(3).select(simulated.columns)
    few.write_parquet(tmp_path / "in.parquet")
    build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet", EVERY)
    assert pl.read_parquet(tmp_path / "out.parquet").equals(build(few, EVERY))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file"),
        (b"no table", "not a Parquet file"),
    ],
)
def test_what_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "in.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        build_parquet(path, tmp_path / "out.parquet")
    assert message in str(caught.value)
    assert not (tmp_path / "out.parquet").exists()


def test_a_key_is_missing(simulated: pl.DataFrame, tmp_path: Path) -> None:
    simulated.drop("patient_id").write_parquet(tmp_path / "in.parquet")
    with pytest.raises(InputError, match="no column 'patient_id'"):
        build_parquet(tmp_path / "in.parquet", tmp_path / "out.parquet")


def test_the_stage_writes_table_dictionary_and_constants(simulated: pl.DataFrame, tmp_path: Path) -> None:
    groups = ("basic", "patient.z", "context.counts")
    plan = run_stage(simulated, groups, out=tmp_path / "features.writing", dictionary=tmp_path / "features.json")
    stored = json.loads((tmp_path / "features.json").read_text("utf-8"))
    table = pl.read_parquet(tmp_path / "features.writing")
    assert stored["groups"] == list(groups)
    assert [feature["name"] for feature in stored["features"]] == table.columns[1:]
    assert set(stored["features"][0]) == {
        "name", "group", "part", "kind", "formula", "unit", "source", "missing", "needs",
    }  # fmt: skip
    assert FeatureState.from_dict(stored["state"]) == fit(simulated) == plan.state
    assert table.equals(build(simulated, groups, state=fit(simulated)))
