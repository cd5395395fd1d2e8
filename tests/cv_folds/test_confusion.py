import json
import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, recall_score

from cv_folds.metrics import confusion
from engine.errors import InputError


def test_counts_and_shares_by_hand() -> None:
    # Flagged at 0.5 or more: 0.9 M, 0.8 B, 0.5 M, 0.5 B; not flagged: 0.4 M, 0.3 B, 0.2 B, 0.1 B.
    table = confusion([1, 0, 1, 0, 1, 0, 0, 0], [0.9, 0.8, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1], threshold=0.5)
    assert (table.true_positive, table.false_positive, table.false_negative, table.true_negative) == (2, 2, 1, 3)
    assert table.accuracy == 5 / 8
    assert table.precision == 2 / 4
    assert table.sensitivity == 2 / 3
    assert table.specificity == 3 / 5
    assert table.f1 == 4 / 7


def test_weights_count() -> None:
    table = confusion([1, 1, 0], [1, 0, 0], threshold=1, weight=[0.5, 1.5, 4])
    assert (table.true_positive, table.false_negative, table.true_negative) == (0.5, 1.5, 4)
    assert table.sensitivity == 0.25


def test_shares_of_nothing_are_undefined() -> None:
    table = confusion([0, 0], [1, 2], threshold=math.inf)
    assert math.isnan(table.precision)
    assert math.isnan(table.sensitivity)
    assert math.isnan(table.f1)
    assert table.specificity == 1
    written = confusion([0, 0], [1, 2], threshold=3).as_dict()
    assert json.loads(json.dumps(written, allow_nan=False))["precision"] is None


@pytest.mark.parametrize("seed", range(20))
def test_equals_scikit_learn(seed: int) -> None:
    generator = np.random.default_rng(seed)
    target, score = generator.integers(0, 2, 60), generator.integers(0, 6, 60)
    table, flagged = confusion(target, score, threshold=3), score >= 3
    negative, positive = confusion_matrix(target, flagged, labels=[0, 1])
    assert [table.true_negative, table.false_positive, table.false_negative, table.true_positive] == [
        *negative,
        *positive,
    ]
    assert table.accuracy == pytest.approx(accuracy_score(target, flagged))
    assert table.precision == pytest.approx(precision_score(target, flagged))
    assert table.sensitivity == pytest.approx(recall_score(target, flagged))
    assert table.specificity == pytest.approx(recall_score(target, flagged, pos_label=0))
    assert table.f1 == pytest.approx(f1_score(target, flagged))


def test_refuses_no_threshold() -> None:
    with pytest.raises(InputError, match="NaN is no threshold"):
        confusion([0, 1], [0, 1], threshold=math.nan)
