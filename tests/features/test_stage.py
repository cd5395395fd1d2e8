"""The feature stage out of core: the same bits as in memory, whatever the order of the image table."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest

import features.patients.block
import features.writing
from engine.errors import InputError
from engine.executors import LocalExecutor
from features import GROUPS, FeatureState, build, fit, run_stage, write_features

EVERY = tuple(GROUPS)


@pytest.fixture(scope="module")
def lesions(simulated: pl.DataFrame) -> pl.DataFrame:
    """A few of the simulated patients, about 300 lesions."""
    sizes = simulated.group_by("patient_id").len().filter(pl.col("len") < 120).sort("patient_id")
    return simulated.filter(pl.col("patient_id").is_in(sizes["patient_id"].head(8).implode()))


@pytest.fixture(scope="module")
def images(lesions: pl.DataFrame) -> pl.DataFrame:
    """Scores and embeddings of all lesions in their order; some of either are null."""
    rng = np.random.default_rng(0)
    some = pl.Series(rng.random(lesions.height) < 0.9)
    embedding = pl.Series(rng.normal(size=(lesions.height, 5)).astype(np.float32))
    table = lesions.select("isic_id", fold=0, score=pl.Series(rng.random(lesions.height)), embedding=embedding)
    return table.with_columns(pl.when(some).then("embedding").alias("embedding"), pl.when(some).then("score"))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features.writing, "ROW_GROUP", 64)
    monkeypatch.setattr(features.patients.block, "BLOCK_ROWS", 50)
    monkeypatch.setattr(features.ordered_images, "_ROWS", 70)


def run(folder: Path, lesions: pl.DataFrame, groups: tuple[str, ...], **options: object) -> pl.DataFrame:
    """The feature table that the stage writes."""
    if isinstance(table := options.get("images"), pl.DataFrame):
        options["images"] = folder / "images.parquet"
        table.write_parquet(folder / "images.parquet")
    lesions.write_parquet(folder / "lesions.parquet", row_group_size=100)
    out, dictionary = folder / "features.parquet", folder / "features.json"
    run_stage(folder / "lesions.parquet", groups, out=out, dictionary=dictionary, **options)  # type: ignore[arg-type]
    return pl.read_parquet(out)


def test_it_writes_table_dictionary_and_constants(lesions: pl.DataFrame, tmp_path: Path) -> None:
    groups = ("basic", "patient.z", "context.counts")
    table = run(tmp_path, lesions, groups)
    stored = json.loads((tmp_path / "features.json").read_text("utf-8"))
    assert stored["groups"] == list(groups)
    assert [feature["name"] for feature in stored["features"]] == table.columns[1:]
    assert set(stored["features"][0]) == {
        "name", "group", "part", "kind", "formula", "unit", "source", "missing", "needs",
    }  # fmt: skip
    assert FeatureState.from_dict(stored["state"]) == fit(lesions)
    assert table.equals(build(lesions, groups, state=fit(lesions)))


@pytest.mark.parametrize("cores", [1, 3])
def test_every_group_has_the_same_bits_as_in_memory(
    lesions: pl.DataFrame, images: pl.DataFrame, tmp_path: Path, cores: int
) -> None:
    table = run(tmp_path, lesions, EVERY, images=images, executor=LocalExecutor(cores))
    assert table.equals(build(lesions, EVERY, state=fit(lesions, images=images), images=images))
    assert pq.ParquetFile(tmp_path / "features.parquet").metadata.num_row_groups > 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("features.json", "features.parquet"),
        *("images.parquet", "lesions.parquet"),
    ]


@pytest.mark.parametrize("seed", [None, 1])
@pytest.mark.parametrize("fraction", [0.8, 1])
@pytest.mark.parametrize("nested", [pl.List(pl.Float32), pl.Array(pl.Float32, 5), pl.Array(pl.Float16, 5)])
def test_an_image_table_on_disk_may_have_any_order_and_lack_lesions(  # noqa: PLR0917 - fixtures and parameters
    lesions: pl.DataFrame,
    images: pl.DataFrame,
    tmp_path: Path,
    seed: int | None,
    fraction: float,
    nested: pl.DataType,
) -> None:
    table = images.with_columns(pl.col("embedding").cast(nested), score_b=1 - pl.col("score"))
    if seed is not None:
        table = table.sample(fraction=1, shuffle=True, seed=seed)
    table = table.head(int(fraction * table.height))
    stranger = table.head(1).with_columns(isic_id=pl.lit("of nobody"))
    table = pl.concat([stranger, table]) if fraction < 1 else table
    table.write_parquet(tmp_path / "images.parquet", row_group_size=64)
    built = run(tmp_path, lesions, ("image",), images=tmp_path / "images.parquet")
    assert built.equals(build(lesions, ["image"], state=fit(lesions, images=table), images=table))
    assert built["image_embedding_distance"].null_count() < lesions.height / 2


def test_embeddings_of_nothing_are_missing(lesions: pl.DataFrame, images: pl.DataFrame, tmp_path: Path) -> None:
    nothing = images.with_columns(pl.lit(None, images.schema["embedding"]).alias("embedding"))
    assert run(tmp_path, lesions, ("image",), images=nothing)["image_embedding_cosine"].null_count() == lesions.height


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("embedding", [[1.0]] * 100 + [[1.0, 2.0]], r"embeddings of lengths \[1, 2\]"),
        ("isic_id", ["a", "a"], "an isic_id occurs twice"),
        ("note", ["x"], "no score"),
    ],
)
def test_an_image_table_on_disk_that_is_refused(
    lesions: pl.DataFrame, tmp_path: Path, column: str, values: list[object], message: str
) -> None:
    table = pl.DataFrame({"isic_id": lesions["isic_id"].head(len(values)), column: values})
    scored = table if column == "note" else table.with_columns(score=0.5)
    scored.write_parquet(tmp_path / "images.parquet")
    with pytest.raises(InputError, match=message):
        run(tmp_path, lesions, ("image",), images=tmp_path / "images.parquet")
    assert not (tmp_path / "features.parquet").exists()


def test_no_image_table_there(lesions: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        run(tmp_path, lesions, ("image",), images=tmp_path / "images.parquet")


def test_a_table_out_of_order_is_refused(lesions: pl.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not sorted by patient_id and isic_id"):
        run(tmp_path, lesions.reverse(), ("basic",))


@pytest.mark.parametrize("rows", [0, 1, 3])
def test_tables_of_few_lesions(lesions: pl.DataFrame, tmp_path: Path, rows: int) -> None:
    few = lesions.group_by("patient_id", maintain_order=True).head(1).head(rows).select(lesions.columns)
    assert run(tmp_path, few, EVERY).equals(build(few, EVERY, state=fit(few)))


def test_lesions_in_memory_are_written_as_they_are_built(lesions: pl.DataFrame, tmp_path: Path) -> None:
    plan = write_features(lesions, tmp_path / "features.parquet", EVERY)
    written = pl.read_parquet(tmp_path / "features.parquet")
    assert written.equals(build(lesions, EVERY))
    assert [spec.name for spec in plan.specs] == written.columns[1:]


def test_nowhere_to_write(lesions: pl.DataFrame, tmp_path: Path) -> None:
    lesions.write_parquet(tmp_path / "lesions.parquet")
    with pytest.raises(InputError, match="cannot write here"):
        run_stage(tmp_path / "lesions.parquet", out=tmp_path / "lesions.parquet" / "f.parquet", dictionary=tmp_path)
