import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from cv_folds.bootstrap import POOLED, metric_interval, paired_difference, replicate, units
from cv_folds.metrics import AUC, METRICS, PAUC, SETOP15, RankMetric, partial_auc, roc_auc
from cv_folds.metrics.threshold import sensitivity_at_specificity
from engine.errors import InputError


def by_drawing_lesions_of_patients(sample, draws: int) -> np.ndarray:  # noqa: ANN001
    """The bootstrap as one would write it first: draw patients, put their lesions together, sort."""
    generator = np.random.default_rng(99)
    rows = [np.flatnonzero(sample.patient == patient) for patient in range(sample.patient.max() + 1)]
    values = []
    while len(values) < draws:
        drawn = np.concatenate([rows[patient] for patient in generator.integers(0, len(rows), len(rows))])
        if 0 < sample.target[drawn].sum() < drawn.size:
            values.append(roc_auc(sample.target[drawn], sample.score[drawn]))
    return np.array(values)


def test_the_distribution_is_that_of_drawing_patients(lesions) -> None:  # noqa: ANN001
    sample = lesions(3)
    slow = by_drawing_lesions_of_patients(sample, 3000)
    drawn = replicate(sample.target, {"a": sample.score}, metrics=[AUC], patient=sample.patient, replicates=8000)
    fast = drawn.samples[POOLED, "auc", "a"]
    assert fast.estimate == pytest.approx(roc_auc(sample.target, sample.score), abs=1e-12)
    assert ks_2samp(slow, fast.values).pvalue > 0.001
    assert fast.values.std() == pytest.approx(slow.std(), rel=0.08)


def test_lesions_of_one_patient_vary_together(lesions) -> None:  # noqa: ANN001
    # Five copies of every lesion in the same patient add nothing; one by one they pretend to be five times as many.
    sample = lesions(4)
    five = np.repeat(np.arange(sample.target.size), 5)
    once = metric_interval(AUC, sample.target, sample.score, patient=sample.patient, replicates=2000)
    copied = metric_interval(
        AUC, sample.target[five], sample.score[five], patient=sample.patient[five], replicates=2000
    )
    single = metric_interval(AUC, sample.target[five], sample.score[five], patient=None, replicates=2000)
    assert copied.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    assert single.standard_error < 0.6 * once.standard_error


def test_lesions_without_patients_are_patients_of_one_lesion(lesions) -> None:  # noqa: ANN001
    sample = lesions(5, patients=200, levels=3)
    every = np.arange(sample.target.size)
    without = metric_interval(PAUC, sample.target, sample.score, patient=None, replicates=500)
    assert metric_interval(PAUC, sample.target, sample.score, patient=every, replicates=500) == without


def test_drawing_counts_is_drawing_one_by_one(lesions, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN001
    sample = lesions(5, patients=200, levels=3)

    def drawn() -> np.ndarray:
        made = replicate(sample.target, {"a": sample.score}, metrics=[AUC], replicates=4000)
        assert (made.samples[POOLED, "auc", "a"].multiplicity == 1).all() == (units.COUNT_COST > 8)
        return made.samples[POOLED, "auc", "a"].values

    counts = drawn()
    monkeypatch.setattr(units, "COUNT_COST", 10**9)
    assert ks_2samp(counts, drawn()).pvalue > 0.001


def test_the_order_of_rows_changes_no_bit(lesions) -> None:  # noqa: ANN001
    sample = lesions(6, levels=10)
    order = np.random.default_rng(0).permutation(sample.target.size)
    arguments = {"metrics": list(METRICS.values()), "replicates": 300}
    one = replicate(sample.target, {"a": sample.score}, patient=sample.ids, **arguments)
    other = replicate(sample.target[order], {"a": sample.score[order]}, patient=sample.ids[order], **arguments)
    for key, given in one.samples.items():
        np.testing.assert_array_equal(given.values, other.samples[key].values)
        np.testing.assert_array_equal(given.left_out, other.samples[key].left_out)
        assert given.estimate == other.samples[key].estimate


PROGRAM = """
import hashlib, numpy as np
from cv_folds.bootstrap import replicate
from cv_folds.metrics import METRICS
g = np.random.default_rng(0)
patient = g.integers(0, 300, 20000)
target = (g.random(20000) < 0.02).astype(int)
score = g.normal(size=20000) + target
drawn = replicate(target, {"a": score, "b": score + g.normal(size=20000)}, metrics=list(METRICS.values()),
                  patient=patient, views={"half": patient < 150}, replicates=300)
digest = hashlib.sha256()
for sample in drawn.samples.values():
    digest.update(sample.values.tobytes() + sample.left_out.tobytes())
print(digest.hexdigest())
"""


def test_the_number_of_threads_changes_no_bit() -> None:
    digests = set()
    for threads in ("1", "4"):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "POLARS_MAX_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, threads)}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_the_seed_decides(lesions) -> None:  # noqa: ANN001
    sample = lesions(7)
    made = [
        metric_interval(AUC, sample.target, sample.score, patient=sample.patient, replicates=200, seed=seed)
        for seed in (0, 0, 1)
    ]
    assert made[0] == made[1]
    assert made[0].low != made[2].low


def test_a_comparison_leaves_the_first_score_as_it_was(lesions) -> None:  # noqa: ANN001
    sample = lesions(8)
    alone = replicate(sample.target, {"a": sample.score}, patient=sample.patient, replicates=200)
    scores = {"a": sample.score, "b": sample.other}
    beside = replicate(sample.target, scores, patient=sample.patient, replicates=200)
    assert alone.interval(POOLED, "pauc", "a") == beside.interval(POOLED, "pauc", "a")


def test_paired_differences_are_narrower_than_unpaired(lesions) -> None:  # noqa: ANN001
    sample = lesions(9, patients=150)
    other = sample.score + 0.05 * sample.other
    paired = paired_difference(AUC, sample.target, sample.score, other, patient=sample.patient, replicates=1000)
    single = metric_interval(AUC, sample.target, sample.score, patient=sample.patient, replicates=1000)
    assert paired.standard_error < 0.3 * single.standard_error
    assert paired.estimate == pytest.approx(
        roc_auc(sample.target, sample.score) - roc_auc(sample.target, other), abs=1e-12
    )


def test_a_score_can_not_be_told_from_itself(lesions) -> None:  # noqa: ANN001
    sample = lesions(10)
    same = paired_difference(PAUC, sample.target, sample.score, sample.score * 2, patient=sample.ids, replicates=200)
    assert (same.estimate, same.low, same.high, same.distinguishable) == (0, 0, 0, False)


def test_a_much_better_score_is_distinguishable(lesions) -> None:  # noqa: ANN001
    sample = lesions(11, patients=200)
    noise = np.random.default_rng(0).normal(size=sample.target.size)
    better = paired_difference(AUC, sample.target, sample.score, noise, patient=sample.ids, replicates=500)
    worse = paired_difference(AUC, sample.target, noise, sample.score, patient=sample.ids, replicates=500)
    assert better.distinguishable
    assert worse.distinguishable
    assert (worse.low, worse.high) == pytest.approx((-better.high, -better.low))


def test_a_mean_over_views_is_the_mean_in_every_replicate(lesions) -> None:  # noqa: ANN001
    sample = lesions(12, patients=120)
    views = {str(fold): sample.patient % 3 == fold for fold in range(3)}
    drawn = replicate(
        sample.target,
        {"a": sample.score},
        metrics=[PAUC, SETOP15],
        patient=sample.patient,
        views=views,
        means={"mean": list(views)},
        replicates=300,
    )
    for metric in ("pauc", "setop15"):
        parts = [drawn.samples[fold, metric, "a"] for fold in views]
        mean = drawn.samples["mean", metric, "a"]
        assert mean.estimate == pytest.approx(np.mean([part.estimate for part in parts]), abs=1e-12)
        assert mean.redrawn == 0
        np.testing.assert_allclose(mean.values, np.mean([part.values for part in parts], axis=0), atol=1e-12)
        inside = sample.patient % 3 == 1
        if metric == "pauc":
            assert parts[1].estimate == pytest.approx(partial_auc(sample.target[inside], sample.score[inside]))


def test_draws_without_a_malignant_lesion_are_drawn_again_and_counted() -> None:
    # One of 4 patients has the malignant lesion: a draw misses it with probability (3/4)⁴ = 0.316, so for 5,000
    # replicates about 5,000 / 0.684 - 5,000 = 2,312 draws are repeated, with a standard deviation of about 58.
    patient = np.repeat(np.arange(4), 5)
    target = np.zeros(20, dtype=int)
    target[0] = 1
    made = metric_interval(AUC, target, np.arange(20)[::-1], patient=patient, replicates=5000)
    assert made.replicates == 5000
    assert 2000 < made.redrawn < 2600
    assert made.method == "percentile"  # leaving that patient out leaves nothing to rank


def test_a_mean_over_views_is_drawn_again_when_one_of_them_is_undefined() -> None:
    patient = np.repeat(np.arange(8), 5)
    target = np.zeros(40, dtype=int)
    target[[0, 20]] = 1  # patients 0 and 4
    views = {"a": patient < 4, "b": patient >= 4}
    drawn = replicate(
        target,
        {"s": np.arange(40)},
        metrics=[AUC],
        patient=patient,
        views=views,
        means={"mean": ["a", "b"]},
        replicates=500,
    )
    single, both = drawn.samples["a", "auc", "s"], drawn.samples["mean", "auc", "s"]
    assert single.values.size == both.values.size == 500
    assert both.redrawn > single.redrawn > drawn.samples[POOLED, "auc", "s"].redrawn


def test_a_view_without_both_classes_is_undefined(lesions) -> None:  # noqa: ANN001
    sample = lesions(13)
    views = {"benign": sample.target == 0, "all": sample.target >= 0}
    drawn = replicate(
        sample.target,
        {"a": sample.score},
        patient=sample.patient,
        views=views,
        means={"mean": ["benign", "all"]},
        replicates=100,
    )
    for name in ("benign", "mean"):
        made = drawn.interval(name, "pauc", "a")
        assert np.isnan([made.estimate, made.low, made.high]).all()
        assert made.replicates == 0
    assert drawn.interval("all", "pauc", "a") == drawn.interval(POOLED, "pauc", "a")


def test_patience_ends_where_a_mean_is_hardly_ever_defined() -> None:
    # 12 views of one malignant patient each: all twelve are drawn in 0.63¹² = 0.4 % of the draws.
    patient = np.repeat(np.arange(24), 2)
    target = (np.arange(48) % 4 == 0).astype(int)
    views = {str(view): patient // 2 == view for view in range(12)}
    drawn = replicate(
        target,
        {"s": np.arange(48)},
        metrics=[AUC],
        patient=patient,
        views=views,
        means={"mean": [*views]},
        replicates=100,
    )
    made = drawn.interval("mean", "auc", "s")
    assert np.isfinite(made.estimate)
    assert np.isnan(made.low)
    assert made.replicates == 0
    assert made.redrawn > 1000
    assert drawn.interval("0", "auc", "s").replicates == 100


def test_a_metric_made_to_measure(lesions) -> None:  # noqa: ANN001
    sample = lesions(14)
    metric = RankMetric("s883", "", lambda counts: sensitivity_at_specificity(counts, specificity=0.883))
    made = metric_interval(metric, sample.target, sample.score, patient=sample.patient, replicates=100)
    assert 0 <= made.low <= made.estimate <= made.high <= 1


def test_refusals(lesions) -> None:  # noqa: ANN001
    sample = lesions(15)
    good = {"target": sample.target, "scores": {"a": sample.score}, "patient": sample.patient}
    for change, message in [
        ({"replicates": 99}, "replicates: 99 are too few"),
        ({"seed": -1}, "seed: -1 is negative"),
        ({"scores": {}}, "nothing to evaluate"),
        ({"metrics": []}, "nothing to evaluate"),
        ({"patient": None, "metrics": [SETOP15]}, "retrieval is counted within patients"),
        ({"patient": pl.Series([None, *sample.patient[1:]])}, "1 lesions have no patient id"),
        ({"views": {"v": [True]}}, r"v: \d+ lesions but flags of shape \(1,\)"),
        ({"target": np.zeros(sample.target.size)}, "no malignant lesion"),
        ({"scores": {"a": sample.score, "b": sample.score * np.inf}}, "not finite"),
    ]:
        with pytest.raises(InputError, match=message):
            replicate(**{**good, **change})
    drawn = replicate(**good, replicates=100)
    for level in (0, 1, 1.5):
        with pytest.raises(InputError, match="level"):
            drawn.interval(POOLED, "pauc", "a", level=level)
        with pytest.raises(InputError, match="level"):
            drawn.difference(POOLED, "pauc", "a", "a", level=level)
