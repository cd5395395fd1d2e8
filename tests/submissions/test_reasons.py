"""How far out of the patient's own pattern, in numbers worked by hand and in words."""

from __future__ import annotations

from statistics import median

import numpy as np
import polars as pl
import pytest

import features
from cohort.columns import NUMERIC
from cohort.simulator import simulate
from features.patients.state import FeatureState
from submissions.measurements import IMAGE, MEASUREMENTS
from submissions.reasons import IN_LINE, NOTHING, TOO_FEW, UNUSUAL, reasons

SIZE = "clin_size_long_diam_mm"
UNFITTED = FeatureState()


def lesions(columns: dict[str, list[float | None]], patient: str = "P") -> pl.DataFrame:
    height = len(next(iter(columns.values())))
    ids = [f"{patient}{n}" for n in range(height)]
    return pl.DataFrame({"isic_id": ids, "patient_id": [patient] * height, **columns})


def words(frame: pl.DataFrame, state: FeatureState = UNFITTED) -> list[str]:
    return reasons(frame, state=state)["reason"].to_list()


def test_the_sentence_is_worked_out_by_hand() -> None:
    # Median 3, deviations 2 1.5 1 0.5 0 0.5 1 1.5 2 8: MAD 1.25, so 11 stands (11 - 3.25) / (1.4826 x 1.5) out.
    sizes: list[float | None] = [1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 11.0]
    found = reasons(lesions({SIZE: sizes}), state=UNFITTED)
    # median (3 + 3.5) / 2 = 3.25; deviations 2.25 1.75 1.25 .75 .25 .25 .75 1.25 1.75 7.75; their median 1.25
    assert found["unusual_z"].to_list() == [None] * 9 + [pytest.approx(7.75 / (1.482602218505602 * 1.25))]
    assert found["unusual_in"].to_list() == [None] * 9 + [SIZE]
    assert found["reason"].to_list() == [IN_LINE] * 9 + [
        "the largest of this patient's 10 lesions (11.0 mm, median 3.2 mm)"
    ]


def test_a_share_counts_ties_half_and_is_rounded_down() -> None:
    sizes: list[float | None] = [*[3.0 + n / 100 for n in range(17)], 9.0, 9.0, 10.0]
    said = words(lesions({SIZE: sizes}))
    # 17 of 20 below and the tie with one other: (17 + 1) / 20 of the mid-ranks
    assert said[17] == said[18] == "larger than 90 % of this patient's lesions (9.0 mm, median 3.1 mm)"
    assert said[19] == "the largest of this patient's 20 lesions (10.0 mm, median 3.1 mm)"


def test_low_values_have_words_of_their_own() -> None:
    lightness: list[float | None] = [-5.0, -5.5, -6.0, -6.5, -7.0, -7.5, -25.0]
    assert words(lesions({"tbp_lv_deltaL": lightness}))[6] == (
        "the darkest against the surrounding skin of this patient's 7 lesions "
        "(lightness against the skin -25.0, median -6.5)"
    )


def test_two_measurements_are_named_the_more_unusual_first_and_not_twice_about_the_same() -> None:
    usual: list[float | None] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    table = lesions({SIZE: [*usual, 20.0], "tbp_lv_norm_border": [*usual, 9.0], "tbp_lv_symm_2axis": [*usual, 30.0]})
    # z of 30, 20 and 9 fall in this order; the border was named with the outline already.
    assert words(table)[6] == (
        "the most asymmetric in outline of this patient's 7 lesions; the largest (20.0 mm, median 4.0 mm)"
    )


@pytest.mark.parametrize("size", [1, 4])
def test_a_patient_of_few_lesions_has_no_pattern(size: int) -> None:
    found = reasons(lesions({SIZE: [1.0, 1.1, 1.2, 50.0][:size]}), state=UNFITTED)
    assert found["reason"].to_list() == [TOO_FEW] * size
    assert found["unusual_in"].null_count() == found["outlier"].null_count() == size


def test_a_measurement_known_of_few_lesions_is_not_named() -> None:
    sizes: list[float | None] = [1.0, 1.1, 1.2, 50.0, None, None, None]
    assert words(lesions({SIZE: sizes})) == [IN_LINE] * 4 + [NOTHING] * 3


def test_a_table_without_measurements_says_so() -> None:
    found = reasons(lesions({"age_approx": [40.0] * 6}), state=UNFITTED)
    assert found["reason"].to_list() == [NOTHING] * 6
    assert found["outlier"].null_count() == 6


def test_an_empty_table_has_no_reasons() -> None:
    assert reasons(lesions({SIZE: [1.0]}).clear()).height == 0


def test_the_image_network_is_named_by_its_logit() -> None:
    scores = [0.01, 0.011, 0.012, 0.013, 0.014, 0.9]
    frame = lesions({SIZE: [3.0, 3.1, 3.2, 3.3, 3.4, 3.25]})
    images = pl.DataFrame({"isic_id": frame["isic_id"], "score": scores})
    found = reasons(frame, state=UNFITTED, images=images)
    assert found["reason"][5] == "the most suspicious to the image model of this patient's 6 lesions"
    logits = [float(np.log(p / (1 - p))) for p in scores]
    spread = 1.482602218505602 * median(abs(one - median(logits)) for one in logits)
    assert found["unusual_z"][5] == pytest.approx((logits[5] - median(logits)) / spread)
    assert found["unusual_in"][5] == IMAGE


@pytest.fixture(scope="module")
def simulated() -> pl.DataFrame:
    frame = simulate(1_500, seed=4).metadata
    return frame.with_columns(pl.col(NUMERIC).cast(pl.Float64)).sort("patient_id", "isic_id")


def test_numbers_are_those_of_the_features(simulated: pl.DataFrame) -> None:
    found = reasons(simulated)
    built = features.build(simulated, ["patient.robust", "neighbours.mahalanobis"])
    enough = simulated.select(pl.len().over("patient_id") >= 5).to_series()
    distance = built["neighbours_mahalanobis_loo"].cast(pl.Float64) / np.sqrt(15)
    assert found["outlier"].filter(enough).to_numpy() == pytest.approx(distance.filter(enough).to_numpy(), rel=1e-6)
    assert found["outlier"].filter(~enough).null_count() == (~enough).sum()
    measured = [one.column for one in MEASUREMENTS if one.column != IMAGE]
    z = built.select(pl.col(f"{name}__patient_robust").alias(name) for name in measured).to_numpy()
    largest = np.abs(z).max(axis=1)
    named = found["unusual_in"].is_not_null().to_numpy()
    assert named.tolist() == ((largest >= UNUSUAL) & enough.to_numpy()).tolist()
    assert np.abs(found["unusual_z"].to_numpy()[named]) == pytest.approx(largest[named], rel=1e-6)
    assert [measured[place] for place in np.abs(z).argmax(axis=1)[named]] == found["unusual_in"].drop_nulls().to_list()


def test_the_most_outlying_lesion_is_first(simulated: pl.DataFrame) -> None:
    ranked = reasons(simulated).with_columns(simulated["patient_id"]).drop_nulls("outlier")
    for _, patient in ranked.group_by("patient_id"):
        by_distance = patient.sort("outlier", descending=True)
        assert by_distance["outlier_rank"].to_list() == list(range(1, patient.height + 1))


def test_a_patient_alone_and_in_any_order_gets_the_same_bits(simulated: pl.DataFrame) -> None:
    together = reasons(simulated)
    shuffled = reasons(simulated.sample(fraction=1, shuffle=True, seed=5))
    assert shuffled.sort("isic_id").equals(together.sort("isic_id"))
    for patient in simulated["patient_id"].unique(maintain_order=True)[:6]:
        alone = simulated.filter(pl.col("patient_id") == patient)
        assert reasons(alone).equals(together.filter(simulated["patient_id"] == patient))


def test_labels_are_not_read(simulated: pl.DataFrame) -> None:
    assert reasons(simulated.drop("target")).equals(reasons(simulated))
