"""The simulated table: official columns, exact relations, unequal patients, lesions that stand out in theirs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.columns import SLICE3D
from cohort.reading import read_cohort
from cohort.simulator import Simulated, simulate, write_folder
from cohort.simulator.audit import audit, audit_table
from cohort.simulator.audit import partial_auc as known_partial_auc
from cohort.simulator.findings import AuditFinding
from cv_folds.metrics.partial_auc import partial_auc
from engine.errors import InputError


@pytest.fixture(scope="module")
def cohort() -> Simulated:
    return simulate(30_000, seed=3, malignant=300)


def test_the_columns_are_the_official_ones(cohort: Simulated) -> None:
    assert cohort.metadata.columns == [column.name for column in SLICE3D]
    assert cohort.metadata["isic_id"].is_unique().all()
    assert cohort.truth["isic_id"].equals(cohort.metadata["isic_id"])


def test_the_exact_relations_hold(cohort: Simulated) -> None:
    c = {name.removeprefix("tbp_lv_"): cohort.metadata[name].to_numpy() for name in cohort.metadata.columns}
    for side in ("", "ext"):
        np.testing.assert_allclose(c[f"C{side}"], np.hypot(c[f"A{side}"], c[f"B{side}"]), atol=1e-4)
        np.testing.assert_allclose(c[f"H{side}"], np.degrees(np.arctan2(c[f"B{side}"], c[f"A{side}"])), atol=1e-4)
    for axis in "ABL":
        np.testing.assert_allclose(c[f"delta{axis}"], c[axis] - c[f"{axis}ext"], atol=1e-4)
    np.testing.assert_allclose(c["area_perim_ratio"], c["perimeterMM"] ** 2 / c["areaMM2"], rtol=1e-5)


def test_malignant_lesions_are_as_many_as_asked_and_rare_by_default(cohort: Simulated) -> None:
    assert cohort.metadata["target"].sum() == 300
    assert simulate(40_000, seed=0).metadata["target"].sum() == 39  # 393 in 401,059


def test_patients_are_very_unequal(cohort: Simulated) -> None:
    sizes = cohort.metadata.group_by("patient_id").len()["len"]
    assert sizes.max() > 10 * sizes.median()
    assert sizes.min() < sizes.median() / 4


def test_a_malignant_lesion_stands_out_in_its_own_patient(cohort: Simulated) -> None:
    share = (pl.col("clin_size_long_diam_mm").rank() / pl.len()).over("patient_id")
    malignant = cohort.metadata.select("target", share=share).filter(pl.col("target") == 1)["share"]
    assert 0.78 < malignant.median() < 0.95  # published: 0.88


def test_known_probabilities_are_calibrated_and_rank(cohort: Simulated) -> None:
    truth = cohort.truth
    for name in ("p_table", "p_both"):
        assert truth[name].is_between(0, 1).all()
        assert abs(truth[name].sum() / 300 - 1) < 0.2
    malignant, benign = (truth.filter(pl.col("target") == target) for target in (1, 0))
    assert malignant["p_both"].median() > benign["p_both"].quantile(0.9)


def test_truth_does_not_reach_the_table(cohort: Simulated) -> None:
    assert not {"p_table", "p_crop", "p_both", "crop_sign"} & set(cohort.metadata.columns)


def test_same_seed_same_bits_other_seed_others() -> None:
    one, same, other = (simulate(2_000, seed=seed) for seed in (5, 5, 6))
    assert one.metadata.equals(same.metadata)
    assert one.truth.equals(same.truth)
    assert not one.metadata.equals(other.metadata)


def test_train_and_test_share_no_lesion_and_no_patient() -> None:
    train, test = (simulate(5_000, seed=1, part=part).metadata for part in ("train", "test"))
    for key in ("isic_id", "patient_id"):
        assert not set(train[key]) & set(test[key])


@pytest.mark.parametrize(("lesions", "malignant"), [(49, None), (6_000_000, None), (100, 21), (100, 0)])
def test_impossible_cohorts_are_refused(lesions: int, malignant: int | None) -> None:
    with pytest.raises(InputError, match="ask for"):
        simulate(lesions, malignant=malignant)


def outside(cohort: Simulated) -> list[AuditFinding]:
    return [finding for finding in audit(cohort) if finding.verdict == "outside"]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_full_size_cohort_is_within_all_published_bounds(seed: int) -> None:
    cohort = simulate(401_059, seed=seed)
    findings = audit(cohort)
    assert not [finding for finding in findings if finding.verdict != "within"]
    assert len(findings) > 440
    optimum = {finding.what: finding for finding in findings if finding.group == "optimum"}
    both = optimum["partial AUC of p_both"]
    truth = cohort.truth
    assert both.simulated == pytest.approx(partial_auc(truth["target"].to_numpy(), truth["p_both"].to_numpy()))
    assert (both.low, both.high) == (0.18, 0.19)


def test_partial_auc_is_the_challenges_own_also_between_two_lesions() -> None:
    rng = np.random.default_rng(0)
    for cases in (7, 10, 13):
        target = np.repeat([1, 0], [cases, 200])
        score = rng.normal(target * 1.2)
        assert known_partial_auc(score, target == 1) == pytest.approx(partial_auc(target, score))


def test_a_smaller_cohort_is_judged_by_exact_rules_only() -> None:
    findings = audit(simulate(3_000, seed=0))
    judged = [finding for finding in findings if finding.verdict != "not applicable"]
    assert {finding.group for finding in judged} == {"exact relations", "tagging"}
    assert all(finding.verdict == "within" for finding in judged)


def test_an_unseen_hospital_has_another_skin_and_lighting_mix_and_prevalence_another_share() -> None:
    usual, moved, more = (
        simulate(20_000, seed=4, part="test", shift=shift) for shift in (None, "hospital", "prevalence")
    )
    assert not set(usual.metadata["attribution"]) & set(moved.metadata["attribution"])
    white = [float((each.metadata["tbp_tile_type"] == "3D: white").mean() or 0.0) for each in (usual, moved)]
    assert white[1] > white[0] + 0.3
    spread = [float(each.metadata["tbp_lv_Lext"].std() or 0.0) for each in (usual, moved)]  # type: ignore[arg-type]
    assert spread[1] > 1.1 * spread[0]
    assert more.metadata["target"].sum() == pytest.approx(3 * usual.metadata["target"].sum(), abs=2)
    with pytest.raises(InputError, match="no shift named"):
        simulate(1_000, shift="weather")


def test_the_audit_notices_what_is_wrong() -> None:
    cohort = simulate(20_000, seed=0)
    wrong = cohort.metadata.with_columns(pl.col("tbp_lv_areaMM2") * 1.5)
    assert {finding.group for finding in outside(replace(cohort, metadata=wrong))} == {"exact relations"}
    assert "quantiles" in {finding.group for finding in audit_table(wrong) if finding.verdict == "outside"}


def test_the_written_folder_reads_back_as_the_official_files(tmp_path: Path) -> None:
    write_folder(tmp_path, 1_000, seed=2, malignant=20)
    train = read_cohort(tmp_path / "train-metadata.csv", labels="required")
    test = read_cohort(tmp_path / "test-metadata.csv")
    assert train.dataset == test.dataset == "slice3d"
    assert train.frame["target"].sum() == 20
    assert "target" not in test.frame.columns
    sample = pl.read_csv(tmp_path / "sample_submission.csv")
    assert sample["isic_id"].equals(test.given_order, check_names=False)
    assert pl.read_parquet(tmp_path / "truth.parquet").height == 1_000
