import json
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
from scipy.stats import ks_2samp

from ensemble.matrix import FeatureSpace, Matrix
from ensemble.run_checks.measures import largest_gap, level_gap, thinned
from ensemble.run_checks.new_lesions import ScoreScale, shifted_features

PATIENTS, LESIONS = 50, 20


def test_the_largest_gap_between_two_distributions() -> None:
    # up to 2: three of four against one of four, a gap of 1/2; the missing value has no part
    first, second = np.array([1.0, 2.0, 2.0, 5.0, np.nan]), np.array([2.0, 3.0, 4.0, 6.0])
    assert largest_gap(first, second) == pytest.approx(0.5)
    assert largest_gap(first, first) == 0
    assert np.isnan(largest_gap(first, np.array([np.nan])))
    for seed in range(20):
        one, other = (np.random.default_rng(seed).normal(size=size).round(seed % 3) for size in (40, 9))
        assert largest_gap(one, other) == ks_2samp(one, other, method="asymp").statistic


def test_the_gap_between_two_lists_of_categories() -> None:
    # shares 1/2, 1/4, missing 1/4 against 1/4, 3/4, 0: half of 1/4 + 1/2 + 1/4 is 1/2
    assert level_gap(np.array([0.0, 0.0, 1.0, np.nan]), np.array([0.0, 1.0, 1.0, 1.0])) == pytest.approx(0.5)


def test_thinning_draws_the_same_rows_each_time_and_keeps_few_as_they_are() -> None:
    rows = np.arange(100, 200)
    assert (thinned(rows, 10) == thinned(rows, 10)).all()
    assert len(np.unique(thinned(rows, 10))) == 10
    assert (thinned(rows, 100) == rows).all()


def _cohort(seed: int, patients: int = PATIENTS) -> tuple[pl.DataFrame, pl.Series]:
    """A feature of its own for each lesion, one that a patient's lesions share, and a category."""
    generator = np.random.default_rng(seed)
    patient = np.repeat(np.arange(patients), LESIONS)
    table = pl.DataFrame(
        {
            "isic_id": [str(row) for row in range(len(patient))],
            "lesion": generator.normal(size=len(patient)),
            "patient": generator.normal(size=patients)[patient],
            "site": pl.Series(generator.choice(["head", "trunk"], size=len(patient))),
        }
    )
    return table, pl.Series(patient.astype(str))


def _asked(new: pl.DataFrame, patients: int) -> list[str]:
    table, patient = _cohort(0)
    space = FeatureSpace.fit(table)
    return list(shifted_features(space.encode(table), patient, space.encode(new), patients).values.get("features", {}))


def test_other_patients_of_the_same_kind_are_no_shift() -> None:
    # 5 patients share 5 values of "patient": far from the distribution of 50, but not for 5
    assert _asked(_cohort(1, patients=5)[0], 5) == []


def test_a_feature_moved_emptied_or_recoded_is_a_shift() -> None:
    new = _cohort(1)[0]
    assert _asked(new, PATIENTS) == []
    assert _asked(new.with_columns(pl.col("lesion") + 1), PATIENTS) == ["lesion"]
    half = pl.when(pl.int_range(pl.len()) % 2 == 0).then("lesion")
    assert _asked(new.with_columns(lesion=half), PATIENTS) == ["lesion"]
    assert _asked(new.with_columns(site=pl.lit("head")), PATIENTS) == ["site"]


def test_a_handful_of_lesions_is_not_compared() -> None:
    table, patient = _cohort(0)
    matrix = FeatureSpace.fit(table).encode(table)
    few = Matrix(matrix.space, matrix.values[:3])
    assert shifted_features(matrix, patient, few, 1).status == "not applicable"
    assert ScoreScale.of(np.zeros(100), pl.Series(["a", "b"] * 50)).compare(np.zeros(3), 1).status == "not applicable"


@pytest.mark.parametrize(("power", "status"), [(1.0, "clear"), (3.0, "found")])
def test_scores_on_another_scale_are_found(power: float, status: str) -> None:
    patient = pl.Series(np.repeat(np.arange(PATIENTS), LESIONS).astype(str))
    oof, new = (np.random.default_rng(seed).uniform(size=PATIENTS * LESIONS) for seed in (0, 1))
    scale = ScoreScale.of(oof, patient)
    found = scale.compare(new**power, PATIENTS)
    assert found.status == status
    assert found.values["quantiles"]["50%"] == pytest.approx([np.median(oof), np.median(new**power)], abs=0.001)
    assert found.values["gap"] == pytest.approx(largest_gap(oof, new**power), abs=0.001)
    assert ScoreScale.from_dict(json.loads(json.dumps(asdict(scale)))) == scale
    assert scale.lesions == LESIONS
    assert ScoreScale.of(oof, patient, PATIENTS).compare(new**power, PATIENTS) == found
