"""Tables with nothing but age, sex and site: the patient's other images still say much."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.reading import read_cohort
from features import build, fit


def _is_consistent(frame: pl.DataFrame) -> None:
    """Counts against polars' own window functions, on the whole table."""
    built = build(frame, state=fit(frame))
    visit = pl.when(pl.col("age_approx").is_not_null()).then(pl.len().over("patient_id", "age_approx"))
    site = pl.when(pl.col("anatom_site_general").is_not_null()).then(pl.len().over("patient_id", "anatom_site_general"))
    expected = frame.select(
        pl.len().over("patient_id").alias("context_lesions"),
        visit.alias("context_visit_lesions"),
        site.alias("context_site_lesions"),
        (pl.col("age_approx") - pl.col("age_approx").min().over("patient_id")).alias("context_age_since_first"),
        pl.col("age_approx").drop_nulls().n_unique().over("patient_id").alias("context_visits"),
    )
    for name in expected.columns:
        assert built[name].to_list() == expected[name].to_list(), name


def test_real_ground_truth(real_data: Path) -> None:
    cohort = read_cohort(real_data / "isic2020" / "ISIC_2020_Training_GroundTruth.csv", labels="required")
    _is_consistent(cohort.frame)
    # Images of a visit with few others are likelier malignant: a single column ranks far better than chance.
    count = build(cohort.frame, ["context.visits"])["context_visit_lesions"].fill_null(1).to_numpy()
    target = cohort.frame["target"].to_numpy()
    few = -np.log(count)
    above = (few[target == 1][:, None] > few[target == 0]).mean()
    ties = (few[target == 1][:, None] == few[target == 0]).mean()
    assert above + ties / 2 > 0.65


def test_simulated_twin(simulated: pl.DataFrame) -> None:
    rng = np.random.default_rng(0)
    ages = pl.Series("age_approx", rng.choice([40.0, 45.0, 50.0], simulated.height))
    _is_consistent(simulated.select("isic_id", "patient_id", "sex", "anatom_site_general").with_columns(ages))


def test_the_built_in_constants_serve_too(simulated: pl.DataFrame) -> None:
    bare = simulated.select("isic_id", "patient_id", "age_approx")
    assert build(bare)["age_approx__patient_z"].null_count() == bare["age_approx"].null_count()


@pytest.mark.parametrize("column", ["sex", "anatom_site_general", "age_approx"])
def test_any_of_the_three_columns_alone(simulated: pl.DataFrame, column: str) -> None:
    built = build(simulated.select("isic_id", "patient_id", column))
    assert built.columns[1] == column
    assert built["context_lesions"].null_count() == 0
