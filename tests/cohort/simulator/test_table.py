"""The simulated table: official columns, exact relations, unequal patients, lesions that stand out in theirs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.columns import SLICE3D
from cohort.errors import InputError
from cohort.reading import read_cohort
from cohort.simulator import Simulated, simulate, write_folder
from cohort.simulator.audit import FULL_SIZE, audit_table


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


def test_a_full_size_cohort_is_within_nearly_all_published_bounds() -> None:
    findings = audit_table(simulate(FULL_SIZE, seed=0).metadata)
    outside = [finding for finding in findings if not finding.passed]
    assert len(findings) > 400
    assert len(outside) <= 4, outside
    assert not [
        finding
        for finding in outside
        if finding.group in {"exact relations", "correlations", "categories", "ugly ducklings"}
    ]


def test_the_audit_notices_what_is_wrong() -> None:
    table = simulate(20_000, seed=0).metadata.with_columns(pl.col("tbp_lv_areaMM2") * 1.5)
    outside = {finding.group for finding in audit_table(table) if not finding.passed}
    assert {"quantiles", "exact relations"} <= outside


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
