from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from engine.executors import LocalExecutor
from engine.results import ResultStore
from ensemble.jobs import JobRunner, Table
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.out_of_fold import Plan, score_out_of_fold
from ensemble.run_checks.stability import between_folds, between_seeds, scores_by_seed
from tests.ensemble.jobs.executors import Remembering, made_by
from tests.ensemble.learners.contract import lesions

PATIENTS, LESIONS = 60, 10


def _oof(noise: tuple[float, ...]) -> pl.DataFrame:
    """60 patients, two malignant lesions each; the blend is the target with noise of the given size in each fold."""
    generator = np.random.default_rng(0)
    patient = np.repeat(np.arange(PATIENTS), LESIONS)
    fold = patient % len(noise)
    target = np.tile([1, 1, *[0] * (LESIONS - 2)], PATIENTS)
    blend = target + np.array(noise)[fold] * generator.normal(size=len(target))
    return pl.DataFrame({"patient_id": patient.astype(str), "target": target, "fold": fold, "blend": blend})


def test_folds_alike_are_clear() -> None:
    found = between_folds(_oof((0.7, 0.7, 0.7)), replicates=200)
    assert found.status == "clear"
    assert found.values["p"] > 0.01


def test_a_fold_far_below_the_others_is_found() -> None:
    oof = _oof((0.4, 0.4, 4.0))
    found = between_folds(oof, replicates=200)
    assert found.status == "found"
    last = oof.filter(pl.col("fold") == 2)
    assert found.values["pauc"][2] == partial_auc(last["target"].to_numpy(), last["blend"].to_numpy())
    pauc, error = np.array(found.values["pauc"]), np.array(found.values["standard_error"])
    centre = (pauc / error**2).sum() / (1 / error**2).sum()
    # with 2 degrees of freedom the chi-squared tail is exp(-Q / 2)
    assert found.values["p"] == pytest.approx(np.exp(-(((pauc - centre) / error) ** 2).sum() / 2))


def test_a_perfect_fold_has_no_standard_error() -> None:
    assert between_folds(_oof((0.0, 0.7, 0.7)), replicates=200).status == "not applicable"


def _seeds(noise: float) -> dict[str, list[np.ndarray]]:  # type: ignore[type-arg]
    generator = np.random.default_rng(1)
    oof = _oof((0.7, 0.7, 0.7))
    return {"lightgbm": [oof["blend"].to_numpy() + noise * generator.normal(size=oof.height) for _ in range(3)]}


@pytest.mark.parametrize(("noise", "status"), [(0.001, "clear"), (3.0, "found")])
def test_seeds_matter_where_they_move_the_figure_as_patients_do(noise: float, status: str) -> None:
    oof = _oof((0.7, 0.7, 0.7))
    scores = _seeds(noise)
    found = between_seeds(scores, oof["target"].to_numpy(), oof["patient_id"], replicates=200)
    assert found.status == status
    pauc = [partial_auc(oof["target"].to_numpy(), part) for part in scores["lightgbm"]]
    assert found.values["learners"]["lightgbm"]["spread"] == pytest.approx(np.std(pauc, ddof=1))


def test_the_scores_of_each_seed_are_the_runs_own_jobs(tmp_path: Path) -> None:
    frame, target = lesions(300)
    table = Table(FeatureSpace.fit(frame).encode(frame), target)
    learners = {name: get_learner(name, {"n_trees": 3}) for name in ("lightgbm", "xgboost")}
    plan = Plan(learners, [(np.arange(300) % 2).astype(np.int8)], (0, 5), 2.0)
    mean = score_out_of_fold(plan, table, JobRunner(ResultStore(tmp_path), LocalExecutor(2)))
    runner = JobRunner(ResultStore(tmp_path), Remembering())
    found = scores_by_seed(plan, ["xgboost"], table, runner)
    assert made_by(runner) == []
    assert list(found) == ["xgboost"]
    assert np.array_equal((found["xgboost"][0] + found["xgboost"][1]) / 2, mean["xgboost"])
    assert not np.array_equal(*found["xgboost"])


def test_one_seed_has_nothing_to_compare() -> None:
    oof = _oof((0.7, 0.7))
    one = {"lightgbm": [oof["blend"].to_numpy()]}
    assert between_seeds(one, oof["target"].to_numpy(), oof["patient_id"], replicates=200).status == "not applicable"
