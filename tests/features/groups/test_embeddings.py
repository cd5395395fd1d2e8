"""Embeddings of several networks: features out of fold and of new lesions come from one distribution."""

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from scipy.stats import ks_2samp, ortho_group

from features import build, dictionary
from features.patients.image_tables import EMBEDDING_PREFIX, join_images

FOLDS, WIDTH = 5, 12
PATIENTS, LESIONS = 300, 15
NAMES = ("image_embedding_distance", "image_embedding_ratio", "image_embedding_cosine")
Matrix = NDArray[np.float64]


class Networks:
    """Fold networks that see the same in a lesion, each in a space of its own: rotated, shifted and scaled."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rotations = ortho_group.rvs(WIDTH, size=FOLDS, random_state=rng)
        # Pooled activations are mostly positive, in every network.
        self.shifts = rng.uniform(1, 2, size=(FOLDS, WIDTH))
        self.scales = np.exp(rng.normal(0, 0.03, FOLDS))

    def embed(self, seen: Matrix, fold: int) -> Matrix:
        return self.scales[fold] * (seen @ self.rotations[fold] + self.shifts[fold])


def cohort(rng: np.random.Generator, name: str) -> tuple[pl.DataFrame, Matrix]:
    """Lesions of a cohort and what there is to see in each: a patient's own look, and some lesions that stand out."""
    patient = np.repeat(np.arange(PATIENTS), LESIONS)
    own = rng.normal(0, 0.5, (PATIENTS, WIDTH))[patient]
    seen = own + rng.normal(size=(patient.size, WIDTH)) * np.exp(rng.normal(0, 0.4, (patient.size, 1)))
    ids = [f"{name}{row:05d}" for row in range(patient.size)]
    return pl.DataFrame({"isic_id": ids, "patient_id": [f"{name}{number:03d}" for number in patient]}), seen


def table(frame: pl.DataFrame, **embeddings: Matrix) -> pl.DataFrame:
    arrays = [pl.Series(name, matrix, dtype=pl.Array(pl.Float64, WIDTH)) for name, matrix in embeddings.items()]
    return frame.select("isic_id", score=0.5).with_columns(arrays)


@pytest.fixture(scope="module")
def features_of() -> dict[str, pl.DataFrame]:
    """Features out of fold, of exchangeable new lesions, and of those with their embeddings averaged first."""
    rng = np.random.default_rng(11)
    networks = Networks(rng)
    train, seen = cohort(rng, "T")
    fold = train["patient_id"].str.slice(1).cast(pl.Int64).to_numpy() % FOLDS
    out_of_fold = np.zeros_like(seen)
    for k in range(FOLDS):
        out_of_fold[fold == k] = networks.embed(seen[fold == k], k)
    new, seen = cohort(rng, "N")
    each = [networks.embed(seen, k) for k in range(FOLDS)]
    by_fold = {f"embedding_fold{k}": matrix for k, matrix in enumerate(each)}
    return {
        "out of fold": build(train, ["image.embedding"], images=table(train, embedding=out_of_fold)),
        "new": build(new, ["image.embedding"], images=table(new, **by_fold)),
        "averaged first": build(new, ["image.embedding"], images=table(new, embedding=np.mean(each, axis=0))),
    }


@pytest.mark.parametrize("name", NAMES)
def test_new_lesions_are_distributed_as_out_of_fold(features_of: dict[str, pl.DataFrame], name: str) -> None:
    reference = features_of["out of fold"][name]
    same = ks_2samp(reference, features_of["new"][name]).statistic
    averaged = ks_2samp(reference, features_of["averaged first"][name]).statistic
    assert same < 0.1
    # The mean of rotated copies is shorter: every distance shrinks, but not a distance over the mean distance.
    assert averaged > 0.4 or name == "image_embedding_ratio"


def test_features_are_averaged_over_the_networks_that_have_the_lesion() -> None:
    frame = pl.DataFrame({"isic_id": list("abc"), "patient_id": ["P"] * 3})
    # Network 0 puts a, b, c at 0, 2, 4: distances 3, 0, 3. Network 1 has a and b alone, at 5 and 6: distances 1, 1.
    images = frame.select(
        "isic_id",
        score=0.5,
        embedding_fold0=pl.Series([[0.0], [2.0], [4.0]]),
        embedding_fold1=pl.Series([[5.0], [6.0], None], dtype=pl.List(pl.Float64)),
    )
    built = build(frame, ["image.embedding"], images=images)
    assert built["image_embedding_distance"].to_list() == pytest.approx([2, 0.5, 3])


def test_which_columns_are_embeddings() -> None:
    frame = pl.DataFrame({"isic_id": ["a"], "patient_id": ["P"]})
    images = frame.select(
        "isic_id", score=0.5, embedding_size=2.0, embedding_a=[1.0], other=[1.0], embeddings=[1.0]
    ).with_columns(pl.col("embedding_a", "other", "embeddings").cast(pl.List(pl.Float64)))
    columns = join_images(frame, images).columns
    assert [name for name in columns if name.startswith(EMBEDDING_PREFIX)] == ["embedding:embedding_a"]
    names = [spec.name for spec in dictionary(columns, ["image"])]
    assert "image_embedding_size" in names
    assert [name for name in names if name in NAMES] == list(NAMES)
