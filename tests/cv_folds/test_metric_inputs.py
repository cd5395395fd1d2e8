from collections.abc import Callable

import numpy as np
import polars as pl
import pytest

from cv_folds import metrics
from cv_folds.metrics.inputs import fraction, patient_codes
from engine.errors import InputError

Ranking = Callable[..., float]
RANKINGS: dict[str, Ranking] = {
    "partial_auc": metrics.partial_auc,
    "roc_auc": metrics.roc_auc,
    **{name: metric for name, metric in metrics.METRICS.items() if isinstance(metric, metrics.RankMetric)},
}


@pytest.fixture(params=RANKINGS)
def ranking(request: pytest.FixtureRequest) -> Ranking:
    return RANKINGS[request.param]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_must_be_finite(ranking: Ranking, bad: float) -> None:
    with pytest.raises(InputError, match=r"score, row 1: .* is not finite \(2 such rows\)"):
        ranking([0, 1, 0, 1], [0.1, bad, 0.3, bad])


def test_lengths_must_agree(ranking: Ranking) -> None:
    with pytest.raises(InputError, match="score has 3 rows and target has 2"):
        ranking([0, 1], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="score has 2 rows and weight has 1"):
        ranking([0, 1], [0.1, 0.2], weight=[1])


@pytest.mark.parametrize(("target", "missing"), [([0, 0, 0], "malignant"), ([1, 1, 1], "benign")])
def test_both_classes_must_be_there(ranking: Ranking, target: list[int], missing: str) -> None:
    with pytest.raises(InputError, match=f"no {missing} lesion"):
        ranking(target, [1, 2, 3])


def test_a_class_of_weight_zero_is_not_there(ranking: Ranking) -> None:
    with pytest.raises(InputError, match="no malignant lesion of positive weight"):
        ranking([0, 1, 0], [1, 2, 3], weight=[1, 0, 1])


@pytest.mark.parametrize("bad", [2, -1, 0.5, np.nan])
def test_a_target_is_zero_or_one(ranking: Ranking, bad: float) -> None:
    with pytest.raises(InputError, match=r"target, row 2: .* is neither 0 nor 1"):
        ranking([0, 1, bad], [1, 2, 3])


@pytest.mark.parametrize("bad", [-1, np.nan, np.inf])
def test_a_weight_is_finite_and_not_negative(ranking: Ranking, bad: float) -> None:
    with pytest.raises(InputError, match="weight, row 0"):
        ranking([0, 1], [1, 2], weight=[bad, 1])


@pytest.mark.parametrize(("target", "score"), [([], []), ([[0, 1]], [[1, 2]]), ([0, 1], ["a", "b"]), (0, 1)])
def test_columns_of_numbers_only(ranking: Ranking, target: object, score: object) -> None:
    with pytest.raises(InputError):
        ranking(target, score)


def test_any_kind_of_column_will_do(ranking: Ranking) -> None:
    expected = ranking([0, 1, 0, 1], [0.5, 0.25, 0.125, 1.0])
    assert (
        ranking(np.array([False, True, False, True]), np.array([0.5, 0.25, 0.125, 1.0], dtype=np.float32)) == expected
    )
    assert ranking(pl.Series([0, 1, 0, 1], dtype=pl.Int8), pl.Series([0.5, 0.25, 0.125, 1.0])) == expected


@pytest.mark.parametrize("ids", [["b", "a", "b"], np.array(["b", "a", "b"]), pl.Series([7, 3, 7]), [7, 3, 7]])
def test_patients_are_numbered_in_the_order_of_their_ids(ids: object) -> None:
    assert patient_codes(ids, 3).tolist() == [1, 0, 1]  # type: ignore[arg-type]


def test_patient_ids_must_be_complete() -> None:
    with pytest.raises(InputError, match="1 lesions have no patient id"):
        patient_codes(pl.Series(["a", None]), 2)
    with pytest.raises(InputError, match="3 lesions but 2 patient ids"):
        patient_codes(["a", "b"], 3)


def test_fractions_name_their_range() -> None:
    assert fraction(0, "x") == 0
    with pytest.raises(InputError, match=r"x: 0 is outside \(0, 1\]"):
        fraction(0, "x", zero=False)
    with pytest.raises(InputError, match=r"x: 1 is outside \[0, 1\)"):
        fraction(1, "x", one=False)


@pytest.mark.parametrize("name", sorted(metrics.METRICS))
def test_metrics_are_known_by_name(name: str) -> None:
    assert metrics.metric_named(name).name == name


def test_an_unknown_metric_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no metric 'pacu'. choose from pauc, auc, setop15"):
        metrics.metric_named("pacu")
