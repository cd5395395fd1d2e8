"""SEtop-k and NNT by the length of the list: worked by hand, and equal to the metrics one by one."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from cv_folds.bootstrap import metric_interval
from cv_folds.metrics import nnt_at, retrieval_at
from engine.errors import InputError
from submissions.conformal import Promise
from submissions.curves import curves, promised_lists
from submissions.ranking import ranked_within
from submissions.shortlist import Shortlist


def random_lesions(patients: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(patients), rng.integers(2, 30, patients))
    target = (rng.random(code.size) < 0.05).astype(np.int8)
    score = (rng.normal(size=code.size) + 1.5 * target).round(1)
    ids = [f"L{n}" for n in range(code.size)]
    return pl.DataFrame({"isic_id": ids, "patient_id": [f"P{one}" for one in code], "target": target, "score": score})


def test_a_small_case_by_hand() -> None:
    # P: malignant at ranks 1 and 3 of 4. Q: malignant at rank 2 of 3. Scores over both: P1 .9, Q1 .8, Q2* .7, P2 .6,
    # P3* .5, P4 .2, Q3 .1; P1 is malignant, too.
    lesions = pl.DataFrame(
        {
            "isic_id": list("abcdefg"),
            "patient_id": list("PPPPQQQ"),
            "target": [1, 0, 1, 0, 0, 1, 0],
            "score": [0.9, 0.6, 0.5, 0.2, 0.8, 0.7, 0.1],
        }
    )
    found = curves(lesions, replicates=100)
    assert [point["estimate"] for point in found["setopk"][:3]] == [(1 / 2 + 0) / 2, (1 / 2 + 1) / 2, 1.0]
    # From 0.5 to 0.65, 2 of 3 with 3 lesions; above, all with 5.
    assert [point["estimate"] for point in found["nnt"]] == pytest.approx([3 / 2] * 4 + [5 / 3] * 7)
    assert found["counts"] == {"lesions": 7, "malignant": 3, "patients": 2, "malignant_patients": 2}
    assert found["notes"] == ["only 2 patients have a malignant lesion: so few make intervals too narrow"]


def test_every_point_is_the_metric_and_its_interval() -> None:
    lesions = random_lesions(120, seed=3)
    found = curves(lesions, replicates=200)
    target, score = lesions["target"], lesions["score"]
    for point in (found["setopk"][k - 1] for k in (1, 4, 15)):
        k = point["k"]
        expected = retrieval_at(k)(target, score, lesions["patient_id"])
        assert point["estimate"] == pytest.approx(expected, rel=1e-12)
        alone = metric_interval(
            retrieval_at(k),
            target,
            score,
            patient=lesions["patient_id"],
            replicates=200,
        )
        assert (point["low"], point["high"]) == (alone.low, alone.high)
    for point in found["nnt"]:
        expected = nnt_at(point["sensitivity"])(target, score)
        assert point["estimate"] == pytest.approx(expected, rel=1e-12)
        assert point["low"] <= point["estimate"] <= point["high"]
    assert found["notes"] == []


def test_longer_lists_find_more_and_more_sensitivity_costs_more() -> None:
    found = curves(random_lesions(60, seed=1), replicates=100)
    setopk = [point["estimate"] for point in found["setopk"]]
    assert setopk == sorted(setopk)
    assert setopk[-1] == 1
    assert len(setopk) == 50
    json.dumps(found, allow_nan=False)


def test_promised_lists_are_those_of_the_short_list() -> None:
    lesions = random_lesions(150, seed=2)
    ranked = ranked_within(lesions)
    rows = promised_lists(lesions)
    assert [(row["loss"], row["sensitivity"], row["confidence"], row["by"]) for row in rows[:3]] == [
        ("share", 0.8, None, "rank"),
        ("share", 0.8, None, "score"),
        ("share", 0.9, None, "rank"),
    ]
    assert len(rows) == 24
    first, by_score = rows[0], rows[1]
    assert first["limit"] == Shortlist.promised(ranked, Promise(0.8)).limit
    lengths = ranked.group_by("patient_id").agg((pl.col("rank") <= first["limit"]).sum().alias("n"))["n"]
    assert first["mean_length"] == pytest.approx(lengths.mean())
    assert by_score["mean_length"] == pytest.approx((ranked["score"] >= by_score["limit"]).sum() / 150)
    impossible = promised_lists(lesions.filter(pl.col("patient_id").is_in([f"P{n}" for n in range(30)])))[-1]
    assert (impossible["sensitivity"], impossible["confidence"]) == (0.95, 0.9)
    assert impossible["patients"] < impossible["patients_needed"] == 45
    assert impossible["possible"] is False
    assert impossible["limit"] is None


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(InputError, match="no malignant lesion"):
        curves(random_lesions(5, seed=1).with_columns(target=pl.lit(0)))
