import polars as pl
import pytest

from features import FeatureState, build, fit


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    """Two hospitals with means 2 and 8, a patient without one; cohort mean 5 over the five lesions with a value."""
    return pl.DataFrame(
        {
            "isic_id": list("abcdef"),
            "patient_id": ["P", "P", "Q", "Q", "R", "R"],
            "attribution": ["Basel", "Basel", "Wien", "Wien", None, None],
            "tbp_lv_A": [1.0, 3.0, 8.0, None, 4.0, 9.0],
        }
    )


def test_fitted_means_lean_on_the_cohort(lesions: pl.DataFrame) -> None:
    # (4 + 100 × 5) / 102 and (8 + 100 × 5) / 101; the lesions without a hospital give none.
    state = fit(lesions)
    assert set(state.hospitals) == {"Basel", "Wien"}
    assert state.hospitals["Basel"]["tbp_lv_A"] == pytest.approx(504 / 102)
    assert state.hospitals["Wien"]["tbp_lv_A"] == pytest.approx(508 / 101)


def test_an_unseen_hospital_is_compared_with_the_cohort(lesions: pl.DataFrame) -> None:
    state = fit(lesions)
    scale = state.scales["tbp_lv_A"]
    fresh = lesions.with_columns(pl.Series("attribution", ["Basel", "Oslo", None, "Wien", "Wien", "Oslo"]))
    built = build(fresh, ["hospital"], state=state)
    assert built["attribution"].to_list() == fresh["attribution"].to_list()
    basel, wien = state.hospitals["Basel"]["tbp_lv_A"], state.hospitals["Wien"]["tbp_lv_A"]
    means = [basel, scale.mean, scale.mean, wien, wien, scale.mean]
    want = [
        None if value is None else (value - mean) / scale.sd
        for value, mean in zip(fresh["tbp_lv_A"].to_list(), means, strict=True)
    ]
    assert built["tbp_lv_A__hospital_z"].to_list() == pytest.approx(want)


def test_without_constants_it_says_nothing(lesions: pl.DataFrame) -> None:
    built = build(lesions, ["hospital.z"], state=FeatureState())
    assert built["tbp_lv_A__hospital_z"].to_list() == [0, 0, 0, None, 0, 0]


def test_a_number_without_any_value_has_no_mean(lesions: pl.DataFrame) -> None:
    state = fit(lesions.with_columns(pl.lit(None, pl.Float64).alias("tbp_lv_B")))
    assert state.hospitals == fit(lesions).hospitals
    assert fit(lesions.drop("tbp_lv_A")).hospitals == {}
