"""What every learner must do; each learner's test class inherits it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from engine.errors import InputError
from ensemble.learners import Learner, Parameters, get_learner
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
    """Subclass with `name`, and where it differs the rest."""

    name: ClassVar[str]
    quick: ClassVar[Parameters] = FEW_TREES
    wrong: ClassVar[tuple[Parameters, ...]] = ({"learning_rte": 0.1}, {"learning_rate": "fast"})
    fixed: ClassVar[str]
    aliases: ClassVar[Mapping[str, str]] = {}
    seeded: ClassVar[bool] = True
    #: What a constant may seem to gain: the logistic fit is stopped before its optimum.
    unused: ClassVar[float] = 0.0

    @pytest.fixture
    def learner(self) -> Learner:
        return get_learner(self.name, self.quick)

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
        assert np.array_equal(one, other) is not self.seeded

    def test_a_row_alone_scores_as_in_the_batch(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        model = learner.fit(matrix, target, seed=0, threads=2)
        batch = model.predict(matrix, threads=2)
        alone = [model.predict(matrix.rows(np.array([row])), threads=1)[0] for row in range(0, 600, 7)]
        assert np.array_equal(batch[::7], alone)

    def test_equal_models_are_equal_files_at_any_number_of_threads(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8], tmp_path: Path
    ) -> None:
        for threads in (1, 2, 3):
            learner.fit(matrix, target, seed=0, threads=threads).save(tmp_path / f"{threads}{learner.suffix}")
        assert len({path.read_bytes() for path in tmp_path.iterdir()}) == 1

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
        wider = frame.with_columns(more=1.0)
        more = FeatureSpace.fit(wider.select(reversed(wider.columns))).encode(wider)
        assert np.array_equal(model.predict(more, threads=2), model.predict(matrix, threads=2))

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

    def test_contributions_sum_to_the_log_odds_and_go_to_the_right_features(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        category_first = FeatureSpace.fit(frame.select("site", "colour", 'size [mm], "long"'))
        model = learner.fit(category_first.encode(frame), target, seed=0, threads=2)
        found = model.contributions(matrix, threads=2)  # in the model's order, whatever the matrix's
        assert found.shape == (600, 4)
        scores = model.predict(matrix, threads=1)
        np.testing.assert_allclose(found.sum(axis=1), np.log(scores / (1 - scores)), rtol=0, atol=1e-9)
        site, colour, size, _ = np.abs(found).mean(axis=0)
        assert site > 2 * colour  # the target is size + (site is face) + noise
        assert size > 2 * colour
        face = (frame["site"] == "face").fill_null(value=False).to_numpy()
        assert found[face, 0].mean() > found[~face, 0].mean() + 0.2
        alone = model.contributions(matrix.rows(np.array([7])), threads=1)
        assert np.array_equal(alone[0], found[7])

    def test_gains_are_shares_of_the_right_features(
        self, learner: Learner, target: npt.NDArray[np.int8], tmp_path: Path
    ) -> None:
        frame, _ = lesions()
        table = frame.with_columns(
            constant=pl.lit(1.0), absent=pl.lit(None, pl.Float64), only=pl.lit("one"), empty=pl.lit(None, pl.String)
        )
        columns = ["only", "colour", "constant", 'size [mm], "long"', "empty", "site", "absent"]
        matrix = FeatureSpace.fit(table.select("isic_id", *columns)).encode(table)
        model = learner.fit(matrix, target, seed=0, threads=2)
        gain = model.gain()
        assert gain.dtype == np.float64
        assert gain.shape == (7,)
        assert gain.sum() == pytest.approx(1, abs=1e-12)
        found = dict(zip(columns, gain.tolist(), strict=True))
        constants = [found[name] for name in ("only", "constant", "empty", "absent")]
        assert constants == pytest.approx([0, 0, 0, 0], abs=self.unused)
        assert min(found["site"], found['size [mm], "long"']) > found["colour"] > 0  # the target is size + site + noise
        model.save(path := tmp_path / f"model{learner.suffix}")
        assert np.array_equal(learner.load(path, matrix.space).gain(), gain)

    def test_numbers_alone_and_categories_alone_are_enough(
        self, learner: Learner, target: npt.NDArray[np.int8]
    ) -> None:
        frame, _ = lesions()
        for columns in (["isic_id", "colour"], ["isic_id", "site"]):
            part = FeatureSpace.fit(frame.select(columns)).encode(frame)
            scores = learner.fit(part, target, seed=0, threads=2).predict(part, threads=2)
            assert np.isfinite(scores).all()

    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize(
        "kinds", [("one",), ("only",), ("empty",), ("absent",), ("empty", "one", "absent", "only")]
    )
    def test_where_no_feature_varies_every_row_has_the_same_score(
        self,
        learner: Learner,
        target: npt.NDArray[np.int8],
        tmp_path: Path,
        kinds: tuple[str, ...],
        *,
        weighted: bool,
    ) -> None:
        frame, _ = lesions()
        nothing = frame.select(
            "isic_id", one=pl.lit(1.0), absent=pl.lit(None, pl.Float64), only=pl.lit("x"), empty=pl.lit(None, pl.String)
        ).select("isic_id", *kinds)
        matrix = FeatureSpace.fit(nothing).encode(nothing)
        weight = np.linspace(0.5, 2.0, len(target)) if weighted else None
        model = learner.fit(matrix, target, seed=0, threads=2, weight=weight)
        # Later rows may well vary; what a model of constants says of them is the same all the same.
        later = Matrix(matrix.space, np.vstack([matrix.values, np.full((1, len(kinds)), 3.0, np.float32)]))
        scores = model.predict(later, threads=2)
        assert len(set(scores)) == 1
        assert 0 < scores[0] < 1
        assert model.gain().tolist() == [0] * len(kinds)
        contributions = model.contributions(later, threads=2)
        np.testing.assert_allclose(contributions.sum(axis=1), np.log(scores / (1 - scores)), rtol=0, atol=1e-9)
        model.save(path := tmp_path / f"model{learner.suffix}")
        assert np.array_equal(learner.load(path, matrix.space).predict(later, threads=2), scores)

    @pytest.mark.parametrize("which", [0, 1])
    def test_a_wrong_parameter_is_refused_before_training(self, which: int) -> None:
        parameter = next(iter(self.wrong[which]))
        with pytest.raises(InputError, match=rf"\[ensemble.parameters.{self.name}\].*{parameter}"):
            get_learner(self.name, self.wrong[which])

    def test_what_makes_scores_repeat_can_not_be_changed(self) -> None:
        with pytest.raises(InputError, match="fixed"):
            get_learner(self.name, {self.fixed: False})

    def test_another_name_of_a_parameter_is_refused_with_the_one_to_write(self) -> None:
        if not self.aliases:
            pytest.skip("its parameters have one name each")
        for alias, name in self.aliases.items():
            where = rf"\[ensemble.parameters.{self.name}\]: '{alias}' is another name of '{name}'.*set {name} alone"
            for given in ({alias: 1}, {alias: 1, name: 1}, {name: 1, alias: 1}):
                with pytest.raises(InputError, match=where):
                    get_learner(self.name, given)

    def test_weighing_a_row_twice_moves_scores_towards_its_class(
        self, learner: Learner, matrix: Matrix, target: npt.NDArray[np.int8]
    ) -> None:
        plain = learner.fit(matrix, target, seed=0, threads=2)
        weight = np.where(target == 1, 5.0, 1.0)
        weighed = learner.fit(matrix, target, seed=0, threads=2, weight=weight)
        assert weighed.predict(matrix, threads=2).mean() > plain.predict(matrix, threads=2).mean() + 0.05
