"""Nothing that scores a hospital knows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from engine.results import ResultStore
from ensemble.hospital_figures import TOO_FEW, hospital_figures
from ensemble.hospitals import Hospitals, score_hospital
from ensemble.jobs import JobRunner
from ensemble.learners import get_learner
from ensemble.matrix import FeatureSpace
from ensemble.out_of_fold import Plan
from ensemble.sampling import sample_rows
from tests.ensemble.jobs.executors import Remembering, made_by
from tests.ensemble.learners.contract import lesions

# Patient: hospital of each lesion, malignant ones in capitals. p2 was seen at b, but mostly at a.
VISITS = {"p1": "Aa", "p2": "aaB", "p3": "bbB", "p4": "b", "p5": "Cc", "p6": "d-"}
FRAME = pl.DataFrame(
    [
        {
            "isic_id": f"{patient}_{at}",
            "patient_id": patient,
            "target": int(place.isupper()),
            "attribution": None if place == "-" else place.lower(),
        }
        for patient, places in VISITS.items()
        for at, place in enumerate(places)
    ],
    schema_overrides={"target": pl.Int8},
)


def ids(flags: npt.NDArray[np.bool_]) -> list[str]:
    return FRAME.filter(pl.Series(flags))["isic_id"].to_list()


def test_who_is_held_out_by_hand() -> None:
    found = Hospitals.of(FRAME)
    # d has no malignant lesion, so it goes with the hospital of fewest; a, b and c have one or two: c, of fewer lesions
    assert found.folds.names == ("a", "b", "c + d")
    assert ids(found.held_out(0)) == ["p1_0", "p1_1", "p2_0", "p2_1", "p2_2"]
    assert ids(found.held_out(2)) == ["p5_0", "p5_1", "p6_0", "p6_1"]


def test_a_lesion_taken_elsewhere_neither_trains_nor_counts() -> None:
    found = Hospitals.of(FRAME)
    away = "p2_2"  # taken at b, its patient held out with a
    assert away not in ids(found.trained_on(1))
    assert away not in ids(found.trained_on(0))
    assert away in ids(found.trained_on(2))
    assert away not in ids(found.measured)
    assert "p6_1" in ids(found.measured)  # no place stated: where its patient is
    assert ids(found.trained_on(1)) == ["p1_0", "p1_1", "p2_0", "p2_1", "p5_0", "p5_1", "p6_0", "p6_1"]


def test_the_arrays_follow_the_frame() -> None:
    turned = Hospitals.of(FRAME.reverse())
    assert turned.home[::-1].tolist() == Hospitals.of(FRAME).home.tolist()
    assert turned.taken[::-1].tolist() == Hospitals.of(FRAME).taken.tolist()


def test_without_hospitals_the_reason_is_told() -> None:
    with pytest.raises(InputError, match="attribution"):
        Hospitals.of(FRAME.drop("attribution"))


TABLE, TARGET = lesions()
PATIENT = [f"p{row // 5:03d}" for row in range(len(TABLE))]
PLACE = np.repeat(["x", "y", "z"], 200)
COHORT = TABLE.select("isic_id").with_columns(
    patient_id=pl.Series(PATIENT), target=pl.Series(TARGET), attribution=pl.Series(PLACE)
)
HOSPITALS = Hospitals.of(COHORT)
HELD_OUT = HOSPITALS.held_out(1)


def scored(
    folder: Path,
    *,
    features: pl.DataFrame = TABLE,
    target: npt.NDArray[np.int8] = TARGET,
    weight: npt.NDArray[np.float64] | None = None,
) -> tuple[dict[str, npt.NDArray[np.float64]], list[str]]:
    """Scores of the held-out hospital, and the jobs that had to be done for them."""
    learners = {name: get_learner(name, {"n_trees": 5}) for name in ("lightgbm", "xgboost")}
    plan = Plan(learners, [], (0, 1), 2.0)
    runner = JobRunner(ResultStore(folder), Remembering())
    found = score_hospital(plan, HOSPITALS, 1, HOSPITALS.table(1, features, target, weight), runner=runner)
    return found, made_by(runner)


def scored_seeing(folder: Path, features: pl.DataFrame, *seen: str) -> npt.NDArray[np.float64]:
    """Scores by LightGBM that may see some features."""
    plan = Plan({"lightgbm": get_learner("lightgbm", {"n_trees": 5})}, [], (0,), 2.0, {"lightgbm": seen})
    runner = JobRunner(ResultStore(folder), Remembering())
    found = score_hospital(plan, HOSPITALS, 1, HOSPITALS.table(1, features, TARGET, None), runner=runner)
    return found["lightgbm"]


def same(one: dict[str, npt.NDArray[np.float64]], other: dict[str, npt.NDArray[np.float64]]) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def test_a_hospital_is_scored_by_models_that_never_saw_it(tmp_path: Path) -> None:
    flipped = TARGET.copy()
    flipped[HELD_OUT] = 1 - flipped[HELD_OUT]
    one, _ = scored(tmp_path)
    other, made = scored(tmp_path, target=flipped)
    assert made == []  # no job reads its labels
    assert one["lightgbm"].shape == (200,)
    assert same(one, other)
    changed = TARGET.copy()
    changed[~HELD_OUT] = 1 - changed[~HELD_OUT]
    assert not same(one, scored(tmp_path, target=changed)[0])


def test_the_models_do_not_depend_on_its_lesions(tmp_path: Path) -> None:
    """By hand: trained on the other hospitals' lesions, as drawn, and asked about this one's."""
    found, _ = scored(tmp_path)
    allowed = np.flatnonzero(~HELD_OUT)
    matrix = FeatureSpace.fit(TABLE.filter(~pl.Series(HELD_OUT))).encode(TABLE)
    for name, scores in found.items():
        total = np.zeros(200)
        for seed in (0, 1):
            rows = allowed[sample_rows(TARGET[allowed], benign_per_malignant=2.0, seed=(seed, 0, 1))]
            model = get_learner(name, {"n_trees": 5}).fit(matrix.rows(rows), TARGET[rows], seed=seed, threads=1)
            total += model.predict(matrix.rows(HELD_OUT), threads=1)
        assert np.array_equal(scores, total / 2), name


def test_a_level_that_only_this_hospital_has_is_unknown(tmp_path: Path) -> None:
    def placed(site: pl.Expr) -> pl.DataFrame:
        return TABLE.with_columns(pl.when(pl.Series(HELD_OUT)).then(site).otherwise(pl.col("site")).alias("site"))

    unseen, _ = scored(tmp_path, features=placed(pl.lit("knee")))
    missing, made = scored(tmp_path, features=placed(pl.lit(None, pl.String)))
    assert made == []
    assert same(unseen, missing)
    assert not same(unseen, scored(tmp_path, features=placed(pl.lit("face")))[0])


def test_a_second_time_nothing_is_trained(tmp_path: Path) -> None:
    first, made = scored(tmp_path)
    assert len(made) == 4
    again, made = scored(tmp_path)
    assert made == []
    assert same(first, again)


def test_other_features_or_weights_train_again(tmp_path: Path) -> None:
    first, _ = scored(tmp_path)
    assert len(scored(tmp_path, features=TABLE.with_columns(pl.col("colour") + 1))[1]) == 4
    weighed, made = scored(tmp_path, weight=np.where(TARGET == 1, 5.0, 1.0))
    assert len(made) == 4
    assert weighed["lightgbm"].mean() > first["lightgbm"].mean()


def test_a_learner_sees_its_own_features_that_are_left(tmp_path: Path) -> None:
    less = TABLE.drop("site")
    narrow = scored_seeing(tmp_path, less, "site", "colour")
    assert np.array_equal(narrow, scored_seeing(tmp_path, TABLE, "colour"))
    with pytest.raises(InputError, match="lightgbm sees no feature"):
        scored_seeing(tmp_path, less, "site")


SCORES = np.random.default_rng(0).random((2, len(COHORT)))


def test_figures_are_those_of_the_metric_and_their_difference() -> None:
    found = hospital_figures(COHORT, HOSPITALS, *SCORES, replicates=100, seed=0)
    assert [row["hospital"] for row in found["hospitals"]] == ["x", "y", "z"]
    for row, place in zip(found["hospitals"], "xyz", strict=True):
        here = place == PLACE
        left_out, patient_folds = (partial_auc(TARGET[here], score[here]) for score in SCORES)
        assert row["malignant"] == TARGET[here].sum()
        assert row["trained_on"] == {"lesions": 400, "malignant": TARGET[~here].sum()}
        assert row["left_out"]["pauc"]["estimate"] == pytest.approx(left_out, abs=1e-12)
        assert row["difference"]["pauc"]["estimate"] == pytest.approx(left_out - patient_folds, abs=1e-12)
    assert found["pooled"]["left_out"]["pauc"]["estimate"] == pytest.approx(partial_auc(TARGET, SCORES[0]), abs=1e-12)
    mean = np.mean([row["left_out"]["auc"]["estimate"] for row in found["hospitals"]])
    assert found["mean"]["left_out"]["auc"]["estimate"] == pytest.approx(mean, abs=1e-12)


def test_equal_scores_are_not_distinguishable() -> None:
    found = hospital_figures(COHORT, HOSPITALS, SCORES[0], SCORES[0], replicates=100, seed=0)
    assert {row["verdict"] for row in found["hospitals"]} == {"not distinguishable"}


def test_a_score_that_is_much_worse_left_out_is_said_to_be() -> None:
    perfect = TARGET + SCORES[0] / 2
    found = hospital_figures(COHORT, HOSPITALS, SCORES[0], perfect, replicates=100, seed=0)
    assert {row["verdict"] for row in found["hospitals"]} == {"worse left out"}


def test_hospitals_with_few_malignant_lesions_get_no_figures() -> None:
    malignant = [int(TARGET[place == PLACE].sum()) for place in "xyz"]
    found = hospital_figures(COHORT, HOSPITALS, *SCORES, replicates=100, seed=0, fewest=max(malignant))
    verdicts = [row["verdict"] == TOO_FEW for row in found["hospitals"]]
    assert verdicts == [count < max(malignant) for count in malignant]
    assert any(verdicts)
    assert not all(verdicts)
    assert all((row["left_out"] is None) == few for row, few in zip(found["hospitals"], verdicts, strict=True))
    none = hospital_figures(COHORT, HOSPITALS, *SCORES, replicates=100, seed=0, fewest=1_000)
    assert none["mean"] is None
    assert none["pooled"]["left_out"] is not None
