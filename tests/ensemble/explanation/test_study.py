"""A cohort explained: shares, details, and who explains whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ensemble.blend import Blend
from ensemble.explanation import (
    ChosenLesions,
    Explained,
    Explainer,
    Selection,
    Study,
    blocks,
    out_of_fold,
    select,
    study,
)
from ensemble.explanation.shares import Shares
from ensemble.jobs import Table
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan, score_out_of_fold
from tests.ensemble.explanation.models import FRAME, MATRIX, PATIENT, TARGET, Linear, runner, trained

GROUP_OF = {'size [mm], "long"': "basic", "colour": "tbp", "site": "basic"}
KEYS = FRAME.select("isic_id", patient_id=pl.Series([f"IP_{code:03d}" for code in PATIENT]))


def explained(plan: Plan, folder: Path, *, sample: int = 600, top: int = 3) -> Study:
    store = ModelStore(folder)
    scores = score_out_of_fold(plan, Table(MATRIX, TARGET), runner(folder))
    blend = Blend.fit(scores)
    score = blend(scores)
    chosen = select(PATIENT, score, top=top, sample=sample, seed=0)
    lesions = ChosenLesions(KEYS[chosen.rows], MATRIX.rows(chosen.rows), score[chosen.rows], chosen)
    return study(lesions, out_of_fold(plan, store, chosen.rows, blend.weights), GROUP_OF, features=2, threads=1)


def test_the_log_odds_order_lesions_as_the_blend_does(tmp_path: Path) -> None:
    shares = explained(trained(tmp_path, seeds=(0, 1), repeats=2), tmp_path).shares
    assert 0.95 < shares["rank_correlation"] < 1


def test_blocks_hold_whole_patients_each_once_and_few_explainers() -> None:
    count, size = 60, 100
    patient = np.repeat(np.arange(count), size)
    chosen = select(patient, np.zeros(count * size), top=1, sample=count * size, seed=0)
    keys = pl.DataFrame({"isic_id": [str(row) for row in range(count * size)], "patient_id": patient.astype(str)})
    matrix = FeatureSpace.fit(keys.select("isic_id", x=pl.lit(1.0))).encode(keys.select("isic_id", x=pl.lit(1.0)))
    explainers = [Explainer(np.flatnonzero(patient % 3 == fold), {}, {}) for fold in range(3)]
    cut = blocks(ChosenLesions(keys, matrix, np.zeros(count * size), chosen), explainers)
    assert sorted(np.concatenate(cut).tolist()) == list(range(count * size))
    assert [len(rows) for rows in cut] == [2_100, 2_100, 1_800]
    for rows in cut:
        assert (np.bincount(patient[rows])[np.unique(patient[rows])] == size).all()
        assert len(np.unique(patient[rows] % 3)) <= 2


def test_a_sample_explains_its_lesions_as_the_whole_cohort_does(tmp_path: Path) -> None:
    plan = trained(tmp_path)
    whole, sampled = explained(plan, tmp_path, top=1), explained(plan, tmp_path, sample=599, top=1)
    keys = ["isic_id", "feature", "cohort_contribution"]
    both = whole.lesions.select(keys).join(sampled.lesions.select(keys), on=["isic_id", "feature"], how="inner")
    assert both.height > 60
    assert (both["cohort_contribution"] == both["cohort_contribution_right"]).all()
    for one, other in zip(whole.shares["groups"], sampled.shares["groups"], strict=True):
        assert one["group"] == other["group"]
        assert one["share"] == pytest.approx(other["share"], abs=0.05)


def test_shares_sum_to_one_and_follow_what_the_target_depends_on(tmp_path: Path) -> None:
    shares = explained(trained(tmp_path), tmp_path).shares
    assert sum(row["share"] for row in shares["groups"]) == pytest.approx(1)
    assert sum(row["share"] for row in shares["features"]) == pytest.approx(1)
    assert shares["groups"][0]["group"] == "basic"  # size and site make the target, colour does not
    assert shares["features"][-1]["feature"] == "colour"


def test_a_groups_share_is_of_the_sum_of_its_features() -> None:
    tally = Shares(("a", "b", "c"), {"a": "even", "b": "even", "c": "odd"})
    zero, part = np.zeros(2), np.array([[1.0, -1.0, 2.0], [3.0, 0.0, 0.0]])
    tally.add(Explained(("a", "b", "c"), {"one": part}, zero), np.array([1.0, 2.0]))
    # even: |1 - 1| + 2 |3| = 6; odd: |2| = 2
    assert tally.of_groups() == {"even": {"one": 0.75, "blend": 0.75}, "odd": {"one": 0.25, "blend": 0.25}}
    # a: 1 + 6, b: 1, c: 2
    assert [(row["feature"], row["share"]) for row in tally.of_features()] == [("a", 0.7), ("c", 0.2), ("b", 0.1)]


SMALL = pl.DataFrame(
    {
        "isic_id": ["l1", "l2", "l3", "l4", "l5"],
        "x": [2.0, 1.0, None, 0.5, -1.0],
        "site": ["arm", "arm", "back", "back", "back"],
    }
)
SPACE = FeatureSpace.fit(SMALL)


def test_details_by_hand() -> None:
    score = np.array([0.9, 0.8, 0.1, 0.2, 0.3])
    chosen = select(np.array([0, 0, 0, 0, 1]), score, top=1, sample=5, seed=0)
    keys = pl.DataFrame({"isic_id": SMALL["isic_id"], "patient_id": ["p1", "p1", "p1", "p1", "p2"]})
    # log odds of arm (code 0) add 0, of back (code 1) add 1; a missing x adds nothing
    matrix = SPACE.encode(SMALL)

    class Known(Linear):
        def contributions(self, matrix, *, threads):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
            return np.nan_to_num(super().contributions(matrix, threads=threads))

    explainers = [Explainer(np.arange(5), {"linear": [Known(SPACE)]}, {"linear": 0.5})]
    lesions = ChosenLesions(keys, matrix, score, chosen)
    found = study(lesions, explainers, {"x": "size", "site": "place"}, features=5, threads=1).lesions
    rows = found.select("isic_id", "place", "feature", "group", "against", "value", "patient_median").rows()
    assert rows == [
        # p1's lesions have x 2, 1, 0.5 and one missing: contributions 2, 1, 0.5, 0; two arms and two backs: "arm" first
        ("l1", 1, "x", "size", "patient", "2", "1"),
        # p2 has this lesion alone, so it is set against the base; its x of -1 lowers the score and is not named
        ("l5", 1, "site", "place", "cohort", "back", "back"),
    ]
    assert found["score"].to_list() == [0.9, 0.3]
    assert found["log_odds"].to_list() == [1.0, 0.0]  # half of 2 + 0 and of -1 + 1
    assert found["contribution"].to_list() == [0.625, 0.5]  # half of 2 - 0.75, the median; half of 1
    assert found["cohort_contribution"].to_list() == [1.0, 0.5]


def test_the_usual_is_taken_from_the_reference_lesions_of_the_patient() -> None:
    chosen = Selection(np.arange(5), np.array([4, 4, 4, 6, 6]), np.ones(5, np.bool_), np.array([1.0, 1, 1, 0, 1]))
    lesions = ChosenLesions(SMALL.select("isic_id", patient_id="site"), SPACE.encode(SMALL), np.zeros(5), chosen)
    medians = lesions.patient_medians(np.array([[1.0], [5.0], [3.0], [7.0], [9.0]]))
    assert medians[:, 0].tolist() == [3.0, 3.0, 3.0, 9.0, 9.0]


def test_lesions_of_a_patient_may_be_explained_by_different_models() -> None:
    chosen = select(np.zeros(3, np.intp), np.array([0.9, 0.5, 0.1]), top=1, sample=3, seed=0)
    frame = pl.DataFrame({"isic_id": ["a", "b", "c"], "x": [4.0, 1.0, 1.0]})
    keys = frame.select("isic_id", patient_id=pl.lit("p"))
    space = FeatureSpace.fit(frame)
    explainers = [
        Explainer(np.array([0, 2]), {"linear": [Linear(space)]}, {"linear": 1.0}),
        Explainer(np.array([1]), {"linear": [Linear(space)]}, {"linear": 3.0}),
    ]
    lesions = ChosenLesions(keys, space.encode(frame), np.array([0.9, 0.5, 0.1]), chosen)
    found = study(lesions, explainers, {"x": "basic"}, features=1, threads=1).lesions
    assert found["contribution"].to_list() == [1.0]  # 4 beyond the median of 4, 3 and 1
