"""P values and their correction by hand; intervals against the two-score comparison."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from cv_folds.bootstrap import paired_difference
from cv_folds.metrics import METRICS
from ensemble.ablation import ALL, Variant, compare, holm
from ensemble.ablation.comparison import two_sided_p


def test_holm_by_hand() -> None:
    # Sorted .01 .02 .03 .04, times 4 3 2 1: .04 .06 .06 .04; none below a smaller one's: .04 .06 .06 .06.
    assert holm([0.03, 0.01, 0.04, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_p_by_hand() -> None:
    # Of nine replicates two are at or below 0: 2 * (2 + 1) / (9 + 1).
    assert two_sided_p(np.array([-1.0, 0, 1, 2, 3, 4, 5, 6, 7])) == pytest.approx(0.6)
    assert two_sided_p(np.array([1.0, 2, 3])) == pytest.approx(0.5)
    assert two_sided_p(np.zeros(100)) == 1.0
    assert two_sided_p(np.array([])) is None


@pytest.fixture(scope="module")
def scored() -> tuple[np.ndarray, pl.Series, dict[str, np.ndarray]]:
    chance = np.random.default_rng(0)
    patient = pl.Series(np.repeat(np.arange(120), 20)).cast(pl.String)
    target = (chance.random(2400) < 0.05).astype(np.int8)
    signal = chance.normal(target * 2.5, 1.0)
    scores = {
        "all": signal,
        "without a": signal + chance.normal(0, 2.0, 2400),
        "without b": signal.copy(),
        "without a + b": signal + chance.normal(0, 2.0, 2400),
        "only a": signal + chance.normal(0, 0.05, 2400),
        "only a plus b": signal + chance.normal(0, 0.05, 2400),
    }
    return target, patient, scores


VARIANTS = [
    Variant(ALL, "all", ("a", "b", "c")),
    Variant("without a", "without", ("b", "c")),
    Variant("without b", "without", ("a", "c")),
    Variant("without a + b", "pair", ("c",), apart=("without a", "without b")),
    Variant("only a", "only", ("a",)),
    Variant("only a plus b", "base plus", ("a", "b"), "only a"),
]


def test_rows_are_paired_differences(scored: tuple[np.ndarray, pl.Series, dict[str, np.ndarray]]) -> None:
    target, patient, scores = scored
    found = compare(VARIANTS, [scores], target=target, patient=patient, replicates=500, seed=3)
    assert found["baseline"]["features"] == 3
    assert [row["name"] for row in found["rows"]] == [variant.name for variant in VARIANTS[1:]]
    for row in found["rows"]:
        alone = paired_difference(
            METRICS["pauc"],
            target,
            scores[row["name"]],
            scores[row["against"]],
            patient=patient,
            replicates=500,
            seed=3,
        )
        assert (row["difference"]["estimate"], row["difference"]["low"]) == (alone.estimate, alone.low)
        assert row["difference"]["distinguishable"] == alone.distinguishable
    rows = {row["name"]: row for row in found["rows"]}
    assert rows["only a plus b"]["against"] == "only a"
    assert rows["without a"]["difference"]["distinguishable"]
    # Every replicate on one side: p = 2 / 501, the smallest there is. Two of the five rows have it: times 5, times 4.
    assert rows["without a"]["difference"]["p"] == pytest.approx(2 / 501)
    assert rows["without a"]["difference"]["p_adjusted"] == pytest.approx(5 * 2 / 501)
    assert rows["without a + b"]["difference"]["p_adjusted"] == pytest.approx(5 * 2 / 501)
    assert rows["without b"]["difference"]["p"] == 1.0
    assert not rows["without b"]["difference"]["distinguishable"]


def test_a_pair_says_what_it_adds(scored: tuple[np.ndarray, pl.Series, dict[str, np.ndarray]]) -> None:
    target, patient, scores = scored
    rows = compare(VARIANTS, [scores], target=target, patient=patient, replicates=200, seed=3)["rows"]
    change = {row["name"]: row["difference"]["estimate"] for row in rows}
    pair = next(row for row in rows if row["kind"] == "pair")
    beyond = change["without a + b"] - change["without a"] - change["without b"]
    assert pair["interaction"]["estimate"] == pytest.approx(beyond)
    assert "interaction" not in rows[0]


def test_one_malignant_patient_gives_no_p() -> None:
    target = np.array([1, 0, 0, 0, 0, 0], dtype=np.int8)
    score = np.arange(6, dtype=float)
    variants = [Variant(ALL, "all", ("a", "b")), Variant("without a", "without", ("b",))]
    found = compare(
        variants,
        [{"all": score, "without a": score[::-1]}],
        target=target,
        patient=pl.Series(["p"] * 3 + ["q"] * 3),
        replicates=100,
        seed=0,
    )
    difference = found["rows"][0]["difference"]
    assert difference["p"] is None or difference["p_adjusted"] == difference["p"]


def test_repetitions_give_their_mean_and_the_patients_that_trained_are_allowed_for(
    scored: tuple[np.ndarray, pl.Series, dict[str, np.ndarray]],
) -> None:
    target, patient, scores = scored
    chance = np.random.default_rng(5)
    again = [{name: score + chance.normal(0, 0.8, 2400) for name, score in scores.items()} for _ in range(4)]
    found = compare(VARIANTS, again, target=target, patient=patient, replicates=500, seed=3)["rows"]
    alone = [compare(VARIANTS, [one], target=target, patient=patient, replicates=500, seed=3)["rows"] for one in again]
    for place, row in enumerate(found):
        each = [rows[place]["difference"] for rows in alone]
        assert row["difference"]["estimate"] == pytest.approx(np.mean([one["estimate"] for one in each]))
        # Errors of one patient's lesions are alike, so a mean of four is less certain than a quarter of the variance.
        assert (
            row["difference"]["standard_error"]
            > np.sqrt(1.5 / 4) * np.mean([one["standard_error"] for one in each]) * 0.9
        )


def test_equal_repetitions_stretch_the_interval_alone(
    scored: tuple[np.ndarray, pl.Series, dict[str, np.ndarray]],
) -> None:
    target, patient, scores = scored
    one, three = (
        compare(VARIANTS, [scores] * repeats, target=target, patient=patient, replicates=200, seed=3)["rows"]
        for repeats in (1, 3)
    )
    for first, second in zip(one, three, strict=True):
        plain, stretched = first["difference"], second["difference"]
        assert stretched["estimate"] == pytest.approx(plain["estimate"], abs=1e-12)
        for end in ("low", "high"):  # sqrt(1 + 0.5) times as far from the estimate
            away = np.sqrt(1.5) * (plain[end] - plain["estimate"])
            assert stretched[end] - stretched["estimate"] == pytest.approx(away, abs=1e-12)
