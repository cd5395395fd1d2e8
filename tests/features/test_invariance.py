"""A patient's features are that patient's alone, to the last bit."""

import pickle
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import features.patients.block
from cohort.columns import NEVER_FEATURES, SLICE3D
from engine.executors import LocalExecutor
from features import GROUPS, build, fit, write_features
from features.patients.state import FeatureState

EVERY = tuple(GROUPS)


@pytest.fixture(scope="module")
def images(awkward: pl.DataFrame) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    ids = awkward["isic_id"].sample(fraction=0.9, seed=1)
    embedding = pl.Series(rng.normal(size=(ids.len(), 8)).round(2), dtype=pl.Array(pl.Float32, 8))
    return pl.DataFrame({"isic_id": ids, "score": rng.random(ids.len()).round(2), "embedding": embedding})


@pytest.fixture(scope="module")
def state(awkward: pl.DataFrame, images: pl.DataFrame) -> FeatureState:
    return fit(awkward, images=images)


@pytest.fixture(scope="module")
def batch(awkward: pl.DataFrame, images: pl.DataFrame, state: FeatureState) -> pl.DataFrame:
    return build(awkward, EVERY, state=state, images=images, executor=LocalExecutor(1))


def test_each_patient_alone(
    awkward: pl.DataFrame, images: pl.DataFrame, state: FeatureState, batch: pl.DataFrame
) -> None:
    for (patient,), rows in awkward.group_by("patient_id", maintain_order=True):
        alone = build(rows, EVERY, state=state, images=images)
        assert alone.equals(batch.filter(pl.Series(awkward["patient_id"] == patient))), patient


@pytest.mark.parametrize(("seed", "rows", "cores"), [(1, 1, 1), (2, 7, 2), (3, 25, 4), (4, 60, 1), (5, 3, 3)])
def test_any_order_any_chunks_any_cores(  # noqa: PLR0917 - fixtures and parameters
    awkward: pl.DataFrame,
    images: pl.DataFrame,
    state: FeatureState,
    batch: pl.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    rows: int,
    cores: int,
) -> None:
    shuffled = awkward.sample(fraction=1, shuffle=True, seed=seed)
    monkeypatch.setattr(features.patients.block, "BLOCK_ROWS", rows)
    built = build(shuffled, EVERY, state=state, images=images, executor=LocalExecutor(cores))
    assert built["isic_id"].equals(shuffled["isic_id"])
    assert built.sort("isic_id").equals(batch.sort("isic_id"))


class Elsewhere(LocalExecutor):
    """Runs each task on copies that went through bytes, as another machine would."""

    def map(self, task: Any, shared: Any, items: Iterable[Any], **_: Any) -> Iterator[Any]:  # noqa: ANN401
        for item in items:
            there, known, work = pickle.loads(pickle.dumps((task, shared, item)))  # noqa: S301
            yield pickle.loads(pickle.dumps(there(known, work, 1)))  # noqa: S301


def test_another_machine(  # noqa: PLR0917 - fixtures
    awkward: pl.DataFrame,
    images: pl.DataFrame,
    state: FeatureState,
    batch: pl.DataFrame,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(features.patients.block, "BLOCK_ROWS", 7)
    assert fit(awkward, images=images, executor=Elsewhere(1)) == state
    assert build(awkward, EVERY, state=state, images=images, executor=Elsewhere(1)).equals(batch)
    write_features(awkward, tmp_path / "f.parquet", EVERY, state=state, images=images, executor=Elsewhere(1))
    assert pl.read_parquet(tmp_path / "f.parquet").equals(batch)


def test_adding_a_patient_changes_no_other(simulated: pl.DataFrame) -> None:
    patients = simulated["patient_id"].unique(maintain_order=True)
    fewer = simulated.filter(pl.col("patient_id") != patients[1])
    whole = build(simulated, EVERY)
    assert build(fewer, EVERY).equals(whole.filter(pl.Series(simulated["patient_id"] != patients[1])))


def test_labels_and_what_follows_from_them_are_not_read(simulated: pl.DataFrame) -> None:
    state = fit(simulated)
    follows = {column.name for column in SLICE3D if column.role == "train_only"}
    bare = simulated.drop("target", *follows.intersection(simulated.columns), "copyright_license")
    assert fit(bare).as_dict() == state.as_dict()
    assert build(bare, EVERY, state=state).equals(build(simulated, EVERY, state=state))


def test_no_forbidden_column_comes_out(simulated: pl.DataFrame) -> None:
    built = build(simulated, EVERY)
    assert set(built.columns) & NEVER_FEATURES == {"isic_id"}


def test_the_fitted_state_does_not_depend_on_row_order_or_cores(simulated: pl.DataFrame) -> None:
    shuffled = simulated.sample(fraction=1, shuffle=True, seed=2)
    assert fit(shuffled, executor=LocalExecutor(3)).as_dict() == fit(simulated, executor=LocalExecutor(1)).as_dict()


def test_the_fitted_state_does_not_depend_on_chunks(simulated: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit(simulated)
    monkeypatch.setattr(features.patients.block, "BLOCK_ROWS", 100)
    assert fit(simulated).as_dict() == whole.as_dict()


def test_values_are_finite_or_null(batch: pl.DataFrame) -> None:
    for spec, dtype in batch.schema.items():
        if dtype == pl.Float32:
            assert batch[spec].drop_nulls().is_finite().all(), spec
        else:
            assert dtype == pl.String


def test_large_values_do_not_cost_precision() -> None:
    # 1e6 + {0, 1, 2}: a sum of squares without a shift would lose these digits in single precision.
    ids = [f"L{place}" for place in range(3)]
    frame = pl.DataFrame({"isic_id": ids, "patient_id": ["P"] * 3, "tbp_lv_y": [1e6, 1e6 + 1, 1e6 + 2]})
    built = build(frame, ["patient.z"], state=FeatureState())
    assert built["tbp_lv_y__patient_z"].to_list() == [-1.0, 0.0, 1.0]
