"""New lesions are scored on the scale of the out-of-fold scores: levels and risks right on the whole."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import ks_2samp

from ensemble.blend import METHODS, Blend, Method
from ensemble.calibration import Calibration
from ensemble.new_lesions import score_new_lesions

FOLDS, TRAIN, NEW = 5, 100_000, 60_000
Scores = np.ndarray


class World:
    """Lesions whose risk is known, and models of each fold that see its log-odds with errors of their own."""

    def __init__(self, seed: int, error: float) -> None:
        self.rng = np.random.default_rng(seed)
        self.error = error

    def lesions(self, count: int) -> tuple[Scores, Scores]:
        """Log-odds, most of them far below 0 and a few above it, and labels."""
        sign = self.rng.gamma(2.0, 1.0, count) - 7
        return sign, (self.rng.random(count) < expit(sign)).astype(np.int8)

    def scores(self, sign: Scores) -> dict[str, Scores]:
        """One fold's models: two learners whose errors are their own, both on another scale than the risk."""
        seen = {name: sign + self.rng.normal(0, self.error, len(sign)) for name in ("a", "b")}
        return {"a": expit(seen["a"] + 3), "b": expit(0.7 * seen["b"])}


def test_scale_and_risks_are_right_on_the_whole() -> None:
    world = World(1, error=1.0)
    trained_on, target = world.lesions(TRAIN)
    oof = world.scores(trained_on)
    blend = Blend.fit(oof)
    calibration = Calibration.fit(blend(oof), target)
    sign, _ = world.lesions(NEW)
    folds = [world.scores(sign) for _ in range(FOLDS)]
    found = score_new_lesions({name: [fold[name] for fold in folds] for name in oof}, blend, calibration)

    one = blend(folds[0])  # a new lesion scored by one fold's models is what an out-of-fold score is
    assert logit(found.blend).mean() == pytest.approx(logit(one).mean(), abs=0.02)
    assert np.median(logit(found.blend)) == pytest.approx(np.median(logit(one)), abs=0.06)
    assert ks_2samp(found.blend, one).statistic < 0.06  # the mean of five spreads a little less than one
    assert found.risk.mean() == pytest.approx(calibration(one).mean(), rel=0.01)
    assert found.risk.mean() == pytest.approx(expit(sign).mean(), rel=0.03)
    # The plain mean of scores, taken for one fold's, is off in all of these.
    plain = blend({name: np.mean([fold[name] for fold in folds], axis=0) for name in oof})
    assert logit(plain).mean() > logit(one).mean() + 0.15
    assert ks_2samp(plain, one).statistic > 0.08
    assert calibration(plain).mean() < 0.97 * calibration(one).mean()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("curve", ["beta", "isotonic"])
def test_a_lesion_alone_gets_the_bits_of_the_batch(method: Method, curve: str) -> None:
    world = World(1, error=0.5)
    sign, target = world.lesions(4_000)
    oof = world.scores(sign)
    blend = Blend.fit(oof, target, method=method)
    calibration = Calibration.fit(blend(oof), target, method=curve)  # type: ignore[arg-type]
    folds = [world.scores(sign) for _ in range(3)]
    folds[0]["a"][:2] = 0, 1  # where log-odds are not finite
    by_fold = {name: [fold[name] for fold in folds] for name in oof}
    batch = score_new_lesions(by_fold, blend, calibration)
    for i in range(0, 4_000, 411):
        one = {name: [scores[i : i + 1] for scores in each] for name, each in by_fold.items()}
        alone = score_new_lesions(one, blend, calibration)
        assert (alone.blend[0], alone.risk[0]) == (batch.blend[i], batch.risk[i])
        assert all(alone.learners[name][0] == batch.learners[name][i] for name in by_fold)


def test_one_fold_alone_is_scored_as_out_of_fold() -> None:
    world = World(2, error=0.5)
    sign, target = world.lesions(2_000)
    oof = world.scores(sign)
    blend = Blend.fit(oof)
    calibration = Calibration.fit(blend(oof), target)
    found = score_new_lesions({name: [scores] for name, scores in oof.items()}, blend, calibration)
    np.testing.assert_allclose(found.blend, blend(oof), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.risk, calibration(blend(oof)))


def test_learners_with_other_numbers_of_folds_are_refused() -> None:
    scores = np.array([0.1, 0.2, 0.3])
    blend = Blend.fit({"a": scores, "b": scores})
    calibration = Calibration.fit(blend({"a": scores, "b": scores}), np.array([0, 0, 1], dtype=np.int8))
    with pytest.raises(ValueError, match="zip"):
        score_new_lesions({"a": [scores, scores], "b": [scores]}, blend, calibration)
