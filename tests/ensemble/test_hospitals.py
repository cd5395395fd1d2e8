"""Nothing that scores a hospital knows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest

from cv_folds.metrics import partial_auc
from engine.errors import InputError
from ensemble.hospital_figures import TOO_FEW, hospital_figures
from ensemble.hospitals import Hospitals, score_hospital
from ensemble.learners import get_learner
from ensemble.model_store import ModelStore, Slot
from ensemble.out_of_fold import Plan
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
    folder: Path, *, table: pl.DataFrame = TABLE, target: npt.NDArray[np.int8] = TARGET, **changes: object
) -> tuple[dict[str, npt.NDArray[np.float64]], list[bool]]:
    learners = {name: get_learner(name, {"n_trees": 5}) for name in ("lightgbm", "xgboost")}
    plan = Plan(learners, [], (0, 1), 2.0, {"features": "x"}, **changes)  # type: ignore[arg-type]
    told: list[bool] = []

    def tell(_slot: Slot, there: bool) -> None:
        told.append(there)

    found = score_hospital(
        plan, HOSPITALS, 1, table=table, target=target, store=ModelStore(folder), threads=1, progress=tell
    )
    return found, told


def test_a_hospital_is_scored_by_models_that_never_saw_it(tmp_path: Path) -> None:
    flipped = TARGET.copy()
    flipped[HELD_OUT] = 1 - flipped[HELD_OUT]
    (one, _), (other, _) = scored(tmp_path / "a"), scored(tmp_path / "b", target=flipped)
    assert one["lightgbm"].shape == (200,)
    assert all(np.array_equal(one[name], other[name]) for name in one)
    changed = TARGET.copy()
    changed[~HELD_OUT] = 1 - changed[~HELD_OUT]
    assert not np.array_equal(one["lightgbm"], scored(tmp_path / "c", target=changed)[0]["lightgbm"])


def test_a_level_that_only_this_hospital_has_is_unknown(tmp_path: Path) -> None:
    site = pl.when(pl.Series(HELD_OUT)).then(pl.lit("knee")).otherwise(pl.col("site"))
    scored(tmp_path, table=TABLE.with_columns(site.alias("site")))
    space = ModelStore(tmp_path).space
    assert space is not None
    assert space.levels["site"] == ("arm", "back", "face")


def test_scores_are_means_over_seeds_and_resume_model_by_model(tmp_path: Path) -> None:
    first, told = scored(tmp_path)
    assert told == [False] * 4
    (tmp_path / "xgboost" / "fold1-seed0.ubj").unlink()
    again, told = scored(tmp_path)
    assert told == [True, True, False, True]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    learner = get_learner("lightgbm", {"n_trees": 5})
    store = ModelStore(tmp_path)
    assert store.space is not None
    waiting = store.space.encode(TABLE.filter(pl.Series(HELD_OUT)))
    each = [store.load(Slot("lightgbm", 0, 1, seed), learner).predict(waiting, threads=1) for seed in (0, 1)]
    np.testing.assert_allclose(first["lightgbm"], np.mean(each, axis=0), rtol=0, atol=1e-15)


def test_other_features_train_again(tmp_path: Path) -> None:
    scored(tmp_path)
    moved = TABLE.with_columns(pl.col("colour") + 1)
    assert not any(scored(tmp_path, table=moved)[1])


def test_a_learner_sees_its_own_features_that_are_left(tmp_path: Path) -> None:
    less = TABLE.drop("site")
    scored(tmp_path, table=less, features={"lightgbm": ("site", "colour")})
    learner = get_learner("lightgbm", {"n_trees": 5})
    assert ModelStore(tmp_path).load(Slot("lightgbm", 0, 1, 0), learner).space.names == ("colour",)
    with pytest.raises(InputError, match="lightgbm sees no feature"):
        scored(tmp_path, table=less, features={"lightgbm": ("site",)})


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
