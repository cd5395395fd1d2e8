"""What every learner must do; each learner's test class inherits it."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cohort.errors import InputError
from ensemble.learners import Learner, get_learner
from ensemble.matrix import FeatureSpace, Matrix

FEW_TREES = {"n_trees": 20}


def lesions(n: int = 600, *, seed: int = 0) -> tuple[pl.DataFrame, npt.NDArray[np.int8]]:
    """A feature table with missing values and a category, and a target that depends on both kinds of feature."""
    rng = np.random.default_rng(seed)
    size, colour = rng.normal(size=(2, n))
    site = rng.choice(["back", "arm", "face"], n)
    target = (size + (site == "face") + rng.normal(size=n) > 1).astype(np.int8)
    frame = pl.DataFrame(
        {"isic_id": [f"ISIC_{i:07d}" for i in range(n)], 'size [mm], "long"': size, "colour": colour, "site": site}
    )
    missing = pl.Series(rng.random(n) < 0.1)
    return frame.with_columns(
        pl.when(missing).then(None).otherwise(pl.col("colour")).alias("colour"),
        pl.when(missing).then(None).otherwise(pl.col("site")).alias("site"),
    ), target


class LearnerContract:
    """Subclass with `name`."""

    name: ClassVar[str]

    @pytest.fixture
    def learner(self) -> Learner:
        return get_learner(self.name, FEW_TREES)

    @pytest.fixture
    def matrix(self) -> Matrix:
        frame, _ = lesions()
        return FeatureSpace.fit(frame).encode(frame)

    @pytest.fixture
    def target(self) -> npt.NDArray[np.int8]:
        return lesions()[1]

    def test_scores_are_finite_probabilities_that_rank(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        scores = learner.fit(matrix, target, seed=0, threads=2).predict(matrix, threads=2)
        assert scores.dtype == np.float64
        assert scores.shape == (600,)
        assert ((scores > 0) & (scores < 1)).all()
        assert scores[target == 1].mean() > scores[target == 0].mean() + 0.1

    def test_same_seed_same_bits_at_any_number_of_threads(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        one = learner.fit(matrix, target, seed=3, threads=1).predict(matrix, threads=1)
        two = learner.fit(matrix, target, seed=3, threads=2).predict(matrix, threads=2)
        assert np.array_equal(one, two)

    def test_another_seed_gives_another_model(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        one = learner.fit(matrix, target, seed=0, threads=2).predict(matrix, threads=2)
        other = learner.fit(matrix, target, seed=1, threads=2).predict(matrix, threads=2)
        assert not np.array_equal(one, other)

    def test_a_row_alone_scores_as_in_the_batch(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        model = learner.fit(matrix, target, seed=0, threads=2)
        batch = model.predict(matrix, threads=2)
        alone = [model.predict(matrix.rows(np.array([row])), threads=1)[0] for row in range(0, 600, 7)]
        assert np.array_equal(batch[::7], alone)

    def test_equal_models_are_equal_files(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8], tmp_path: Path
    ) -> None:
        for name in "ab":
            learner.fit(matrix, target, seed=0, threads=2).save(tmp_path / f"{name}{learner.suffix}")
        one, other = ((tmp_path / f"{name}{learner.suffix}").read_bytes() for name in "ab")
        assert one == other

    def test_native_format_round_trips_bit_for_bit(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8], tmp_path: Path
    ) -> None:
        model = learner.fit(matrix, target, seed=0, threads=2)
        path = tmp_path / f"model{learner.suffix}"
        model.save(path)
        again = learner.load(path, matrix.space)
        assert np.array_equal(model.predict(matrix, threads=2), again.predict(matrix, threads=2))

    def test_the_order_of_columns_does_not_matter(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        model = learner.fit(matrix, target, seed=0, threads=2)
        turned = FeatureSpace.fit(frame.select(reversed(frame.columns))).encode(frame)
        assert turned.space.names != matrix.space.names
        assert np.array_equal(model.predict(turned, threads=2), model.predict(matrix, threads=2))

    def test_a_matrix_without_the_models_features_is_refused(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        model = learner.fit(matrix, target, seed=0, threads=2)
        less = frame.drop("colour")
        with pytest.raises(InputError, match="colour"):
            model.predict(FeatureSpace.fit(less).encode(less), threads=2)

    def test_unseen_and_missing_categories_score_alike(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        model = learner.fit(matrix, target, seed=0, threads=2)
        unseen = matrix.space.encode(frame.with_columns(site=pl.lit("moon")))
        missing = matrix.space.encode(frame.with_columns(site=pl.lit(None, pl.String)))
        assert np.array_equal(model.predict(unseen, threads=2), model.predict(missing, threads=2))

    def test_numbers_alone_and_categories_alone_are_enough(
        self, learner: Learner, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        for columns in (["isic_id", "colour"], ["isic_id", "site"]):
            part = FeatureSpace.fit(frame.select(columns)).encode(frame)
            scores = learner.fit(part, target, seed=0, threads=2).predict(part, threads=2)
            assert np.isfinite(scores).all()

    @pytest.mark.parametrize(("parameter", "value"), [("learning_rte", 0.1), ("learning_rate", "fast")])
    def test_a_wrong_parameter_is_refused_before_training(self, parameter: str, value: object) -> None:
        with pytest.raises(InputError, match=rf"\[ensemble.parameters.{self.name}\].*{parameter}"):
            get_learner(self.name, {parameter: value})

    def test_what_makes_scores_repeat_can_not_be_changed(self, learner: Learner) -> None:
        fixed = {"lightgbm": "deterministic", "xgboost": "tree_method", "catboost": "allow_writing_files"}[self.name]
        with pytest.raises(InputError, match="fixed"):
            get_learner(self.name, {fixed: False})
