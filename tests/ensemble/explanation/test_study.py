"""A cohort explained: shares, details, and who explains whom."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ensemble.blend import Blend
from ensemble.explanation import Explained, Lesions, Sitting, Study, new_lesions, out_of_fold, select, study
from ensemble.explanation import study as study_of
from ensemble.explanation.shares import Shares
from ensemble.matrix import FeatureSpace
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan, score_out_of_fold
from tests.ensemble.explanation.models import FOLD, FRAME, LEARNERS, MATRIX, PATIENT, TARGET, Linear, trained

GROUP_OF = {'size [mm], "long"': "basic", "colour": "tbp", "site": "basic"}
KEYS = FRAME.select("isic_id", patient_id=pl.Series([f"IP_{code:03d}" for code in PATIENT]))


def explained(plan: Plan, folder: Path, *, sample: int = 600, top: int = 3) -> Study:
    store = ModelStore(folder)
    scores = score_out_of_fold(plan, MATRIX, store, threads=1)
    blend = Blend.fit(scores)
    chosen = select(PATIENT, blend(scores), top=top, sample=sample, seed=0)
    lesions = Lesions(KEYS[chosen.rows], MATRIX.rows(chosen.rows), blend(scores)[chosen.rows], chosen)
    sittings = out_of_fold(plan, store, chosen.rows, learners=LEARNERS)
    return study(lesions, sittings, blend, GROUP_OF, features=2, threads=1)


def test_out_of_fold_contributions_sum_to_the_out_of_fold_scores(tmp_path: Path) -> None:
    found = explained(trained(tmp_path, seeds=(0, 1), repeats=2), tmp_path)
    assert found.shares["largest_gap"] < 1e-9
    assert 0 < found.shares["base"] < 1


def test_each_lesion_is_explained_by_models_that_never_saw_its_patient(tmp_path: Path) -> None:
    plan = trained(tmp_path, repeats=2)
    rows = np.arange(len(FRAME))
    sittings = out_of_fold(plan, ModelStore(tmp_path), rows, learners=LEARNERS)
    assert sorted(np.concatenate([sitting.rows for sitting in sittings]).tolist()) == rows.tolist()
    for sitting in sittings:
        # one fold of each repeat, and a model of each repeat for each learner
        assert all(len(np.unique(fold[sitting.rows])) == 1 for fold in plan.assignments)
        assert {name: len(models) for name, models in sitting.panel.items()} == dict.fromkeys(LEARNERS, 2)


def test_labels_of_a_fold_do_not_change_its_explanations(tmp_path: Path) -> None:
    flipped = TARGET.copy()
    flipped[FOLD == 1] = 1 - flipped[FOLD == 1]
    rows, panels = np.flatnonzero(FOLD == 1), []
    for name, target in (("a", TARGET), ("b", flipped)):
        plan = trained(tmp_path / name, target=target)
        panels.append(out_of_fold(plan, ModelStore(tmp_path / name), rows, learners=LEARNERS))
    one, other = (sittings[0].panel["lightgbm"][0].contributions(MATRIX.rows(rows), threads=1) for sittings in panels)
    assert len(panels[0]) == 1
    assert np.array_equal(one, other)


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
    assert sum(shares["learners"].values()) == pytest.approx(1)
    assert shares["groups"][0]["group"] == "basic"  # size and site make the target, colour does not
    assert shares["features"][-1]["feature"] == "colour"


def test_a_groups_share_is_of_the_sum_of_its_features() -> None:
    tally = Shares(("a", "b", "c"), {"a": "even", "b": "even", "c": "odd"})
    zero, part = np.zeros(2), np.array([[1.0, -1.0, 2.0], [3.0, 0.0, 0.0]])
    tally.add(Explained(("a", "b", "c"), {"one": part}, part, zero, zero), np.array([1.0, 2.0]))
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

    sittings = new_lesions({"linear": [Known(SPACE)]}, 5)
    lesions = Lesions(keys, matrix, score, chosen)
    found = study_of(
        lesions, sittings, lambda scores: scores["linear"], {"x": "size", "site": "place"}, features=5, threads=1
    ).lesions
    rows = found.select("isic_id", "place", "feature", "group", "against", "value", "patient_median").rows()
    assert rows == [
        # p1's lesions have x 2, 1, 0.5 and one missing: contributions 2, 1, 0, 0.5; two arms and two backs: "arm" first
        ("l1", 1, "x", "size", "patient", "2", "1"),
        # p2 has this lesion alone, so it is set against the base; its x of -1 lowers the score and is not named
        ("l5", 1, "site", "place", "cohort", "back", "back"),
    ]
    first, alone = found["contribution"]
    p = 1 / (1 + np.exp(-2.0))
    assert first == pytest.approx((p - 0.5) / 2 * (2 - 0.75), abs=1e-7)
    assert found["cohort_contribution"][0] == pytest.approx(p - 0.5, abs=1e-7)
    assert alone == pytest.approx(0.25, abs=1e-7)  # log odds -1 + 1 = 0, at the base: the rate is the tangent


def test_new_lesions_are_explained_by_every_model() -> None:
    panel = {"linear": [Linear(SPACE)]}
    (sitting,) = new_lesions(panel, 3)
    assert isinstance(sitting, Sitting)
    assert sitting.rows.tolist() == [0, 1, 2]
    assert sitting.panel is panel
