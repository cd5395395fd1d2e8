import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from features import build, dictionary, fit
from features.patients.image_tables import join_images, logit, read_image_table


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    return pl.DataFrame({"isic_id": list("abcdef"), "patient_id": ["P"] * 4 + ["Q", "R"]})


@pytest.fixture(scope="module")
def images() -> pl.DataFrame:
    """In another order; lesion d is missing, lesion f is not in the frame's order; keys and labels ride along."""
    embedding = [[0.0, 3.0], [4.0, 0.0], [4.0, 3.0], [1.0, 1.0], [2.0, 2.0]]
    return pl.DataFrame(
        {
            "isic_id": ["c", "a", "b", "e", "f"],
            "patient_id": ["P", "P", "P", "Q", "R"],
            "target": [1, 0, 0, 0, 1],
            "fold": [0, 0, 0, 1, 1],
            "score": [0.8, 0.2, 0.5, 0.1, 1.0],
            "embedding": embedding,
        },
        schema_overrides={"embedding": pl.List(pl.Float32)},
    )


@pytest.fixture(scope="module")
def built(lesions: pl.DataFrame, images: pl.DataFrame) -> pl.DataFrame:
    return build(lesions, ["image"], images=images)


def test_which_columns(built: pl.DataFrame, lesions: pl.DataFrame, images: pl.DataFrame) -> None:
    specs = dictionary(join_images(lesions, images).columns, ["image"])
    assert built.columns == ["isic_id", *(spec.name for spec in specs)]
    assert len(specs) == 12
    assert all("target" not in name and "fold" not in name for name in built.columns)


def test_score_and_logit(built: pl.DataFrame) -> None:
    assert built["image_score"].to_list() == pytest.approx([0.2, 0.5, 0.8, None, 0.1, 1.0])
    edge = math.log((1 - 1e-7) / 1e-7)
    want = [math.log(0.25), 0, math.log(4), None, math.log(1 / 9), edge]
    assert built["image_score_logit"].to_list() == pytest.approx(want)


def test_relative_to_the_patient(built: pl.DataFrame) -> None:
    # Patient P has 0.2, 0.5, 0.8: mean 0.5, largest of the others 0.8, 0.8, 0.5.
    assert built["image_score_over_mean"].to_list() == pytest.approx([0.4, 1, 1.6, None, 1, 1])
    assert built["image_score_over_rest"].to_list() == pytest.approx([-0.6, -0.3, 0.3, None, 0, 0])
    assert built["image_score_rank"].to_list() == pytest.approx([1 / 6, 0.5, 5 / 6, None, 0.5, 0.5])
    # No constants: logits -ln 4, 0, ln 4 have sd ln 4.
    assert built["image_score_z"].to_list() == pytest.approx([-1, 0, 1, None, 0, 0])


def test_fitted_constants_shrink(lesions: pl.DataFrame, images: pl.DataFrame) -> None:
    state = fit(lesions, images=images)
    assert state.scales["image:score"].within == pytest.approx(math.log(4))
    built = build(lesions, ["image.relative"], state=state, images=images)
    # SS = 2 ln²4, n - 1 = 2, w = ln 4: the variance stays ln²4.
    assert built["image_score_z"].to_list() == pytest.approx([-1, 0, 1, None, 0, 0])


def test_embedding_distances_by_hand(built: pl.DataFrame) -> None:
    # P: a (4, 0), b (4, 3), c (0, 3): mean of the others of a is (2, 3): distance sqrt(13).
    distance = [13**0.5, math.hypot(2, 1.5), math.hypot(4, 1.5), None, 0, 0]
    assert built["image_embedding_distance"].to_list() == pytest.approx(distance)
    mean = sum(value for value in distance if value) / 3
    ratio = [None if value is None else value / mean if value else 1 for value in distance]
    assert built["image_embedding_ratio"].to_list() == pytest.approx(ratio)
    # Mean (8/3, 2): cosine with (4, 0) is 8/3 over 10/3.
    cosine = [1 - 0.8, 1 - 1.0, 1 - 0.6, None, 0, 0]
    assert built["image_embedding_cosine"].to_list() == pytest.approx(cosine, abs=1e-6)


def test_scores_outside_0_to_1_have_no_logit() -> None:
    assert np.isnan(logit(np.array([-0.1, 1.1, np.nan]))).all()


def test_several_scores_side_by_side(lesions: pl.DataFrame, images: pl.DataFrame) -> None:
    two = images.select("isic_id", pl.col("score").alias("p_eva"), pl.col("score").alias("p_swin"))
    built = build(lesions, ["image"], images=two)
    assert built["image_p_eva_z"].equals(built["image_p_swin_z"])


def test_an_array_embedding_and_one_that_is_not_finite(lesions: pl.DataFrame, images: pl.DataFrame) -> None:
    array = images.with_columns(pl.col("embedding").list.to_array(2))
    broken = pl.Series(
        "embedding", [[float("nan"), 1.0], *images["embedding"].to_list()[1:]], dtype=pl.Array(pl.Float32, 2)
    )
    built = build(lesions, ["image.embedding"], images=array)
    assert built["image_embedding_distance"].null_count() == 1
    assert build(lesions, ["image.embedding"], images=images.with_columns(broken))[
        "image_embedding_distance"
    ].to_list() == pytest.approx([3, 3, None, None, 0, 0])


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pl.DataFrame({"score": [0.5]}), "image table: no column 'isic_id'"),
        (pl.DataFrame({"isic_id": ["a", "a"], "score": [0.5, 0.6]}), "image table: an isic_id occurs twice"),
        (pl.DataFrame({"isic_id": ["a"], "target": [1]}), "image table: no score"),
        (pl.DataFrame({"isic_id": ["a", "b"], "score": [0.1, 0.2], "embedding": [[1.0], [1.0, 2.0]]}), "lengths"),
        (pl.DataFrame({"isic_id": ["a"], "s": [0.5], "s_z": [0.1]}), "feature names ['image_s_z'] are taken"),
    ],
)
def test_tables_that_are_refused(lesions: pl.DataFrame, table: pl.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as caught:
        build(lesions, ["image"], images=table)
    assert message in str(caught.value)


def test_what_is_no_parquet_table_is_refused(images: pl.DataFrame, tmp_path: Path) -> None:
    whole, text, cut = tmp_path / "whole.parquet", tmp_path / "scores.csv", tmp_path / "cut.parquet"
    images.write_parquet(whole)
    assert read_image_table(whole).equals(images)
    images.drop("embedding").write_csv(text)
    cut.write_bytes(whole.read_bytes()[:-20])
    for path in (text, cut, tmp_path, tmp_path / "absent.parquet"):
        with pytest.raises(
            InputError, match=r"not a readable Parquet file. give a Parquet table with columns isic_id|no such file"
        ):
            read_image_table(path)


def test_ids_that_are_not_text_are_refused(lesions: pl.DataFrame) -> None:
    numbers = pl.DataFrame({"isic_id": [1, 2], "score": [0.1, 0.2]})
    with pytest.raises(InputError, match="isic_id is not text"):
        join_images(lesions, numbers)
