import polars as pl
import pytest

from features import FeatureState, build, fit
from features.groups.unusual import APPEARANCE
from features.patients.state import Scale


@pytest.fixture(scope="module")
def two_patients() -> pl.DataFrame:
    """Patient P: 5 lesions at two known sites and one unknown, at ages 40, 40, 45, 55 and unknown; patient Q: one."""
    return pl.DataFrame(
        {
            "isic_id": ["a", "b", "c", "d", "e", "f"],
            "patient_id": ["P"] * 5 + ["Q"],
            "age_approx": [40.0, 45.0, 40.0, 55.0, None, 60.0],
            "anatom_site_general": ["arm", "arm", "leg", None, "arm", "leg"],
        }
    )


@pytest.fixture(scope="module")
def built(two_patients: pl.DataFrame) -> pl.DataFrame:
    return build(two_patients, ["context"])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("context_lesions", [5, 5, 5, 5, 5, 1]),
        ("context_site_lesions", [3, 3, 1, None, 3, 1]),
        ("context_site_share", [0.6, 0.6, 0.2, None, 0.6, 1]),
        ("context_sites", [2, 2, 2, 2, 2, 1]),
        ("context_visit_lesions", [2, 1, 2, 1, None, 1]),
        ("context_visit_share", [0.4, 0.2, 0.4, 0.2, None, 1]),
        ("context_visits", [3, 3, 3, 3, 3, 1]),
        ("context_visit_excess", [1.2, 0.6, 1.2, 0.6, None, 1]),
        ("context_site_visit_lesions", [1, 1, 1, None, None, 1]),
        ("context_visit_number", [1, 2, 1, 3, None, 1]),
        ("context_years_since_visit", [None, 5, None, 10, None, None]),
        ("context_years_to_visit", [5, 10, 5, None, None, None]),
        ("context_age_first", [40, 40, 40, 40, 40, 60]),
        ("context_age_last", [55, 55, 55, 55, 55, 60]),
        ("context_age_mean", [45, 45, 45, 45, 45, 60]),
        ("context_age_since_first", [0, 5, 0, 15, None, 0]),
        ("context_age_before_last", [15, 10, 15, 0, None, 0]),
        ("context_age_range", [15, 15, 15, 15, 15, 0]),
    ],
)
def test_by_hand(built: pl.DataFrame, name: str, values: list[float | None]) -> None:
    assert built[name].to_list() == [None if value is None else pytest.approx(value) for value in values]


def test_only_what_the_table_has(built: pl.DataFrame) -> None:
    assert len(built.columns) == 1 + 18


def test_a_patient_without_any_age(two_patients: pl.DataFrame) -> None:
    unknown = two_patients.with_columns(pl.lit(None, pl.Float64).alias("age_approx"))
    built = build(unknown, ["context.visits"])
    assert built["context_visits"].to_list() == [0] * 6
    assert built["context_age_mean"].null_count() == 6
    assert built["context_visit_number"].null_count() == 6


def test_area_skin_and_spread_by_hand() -> None:
    frame = pl.DataFrame(
        {
            "isic_id": ["a", "b", "c"],
            "patient_id": ["P"] * 3,
            "anatom_site_general": ["arm", "arm", None],
            "tbp_lv_areaMM2": [2.0, 6.0, None],
            "clin_size_long_diam_mm": [3.0, 6.0, 4.0],
            "tbp_lv_Lext": [60.0, 50.0, 40.0],
            "tbp_lv_Bext": [10.0, 20.0, 10.0],
            "tbp_lv_x": [0.0, 3.0, 0.0],
            "tbp_lv_y": [0.0, 0.0, 3.0],
            "tbp_lv_z": [0.0, 0.0, 0.0],
        }
    )
    built = build(frame, ["context"])
    assert built["context_area_total"].to_list() == [8, 8, 8]
    assert built["context_site_area_total"].to_list() == [8, 8, None]
    assert built["context_area_share"].to_list() == [0.25, 0.75, None]
    assert built["context_of_largest"].to_list() == pytest.approx([0.5, 1, 2 / 3])
    assert built["context_large_share"].to_list() == pytest.approx([1 / 3] * 3)
    # atan2(10, 10) = 45°, atan2(0, 20) = 0°, atan2(-10, 10) = -45°; the median is 0.
    assert built["context_skin_tone"].to_list() == pytest.approx([45, 0, -45])
    assert built["context_tone_difference"].to_list() == pytest.approx([45, 0, -45])
    # Mean position (1, 1, 0): squared distances 2, 5, 5.
    assert built["context_from_middle"].to_list() == pytest.approx([2**0.5, 5**0.5, 5**0.5])
    assert built["context_body_spread"].to_list() == pytest.approx([2.0] * 3)


def test_how_unusual_a_patient_is_by_hand() -> None:
    # n = 2, b = 1, w = 2: weight 2 / (2 + 4) = 1/3; mean 9, cohort mean 6, sd 3: level 1/3. SS 8, variance
    # (8 + 16) / (1 + 4) = 4.8, ln(sqrt(4.8) / 2) = 0.0912.
    state = FeatureState({"tbp_lv_A": Scale(6.0, 3.0, 2.0, 1.0, 2.0)})
    frame = pl.DataFrame({"isic_id": ["a", "b"], "patient_id": ["P", "P"], "tbp_lv_A": [7.0, 11.0]})
    built = build(frame, ["context.patient"], state=state)
    assert built["tbp_lv_A__context_level"].to_list() == pytest.approx([1 / 3] * 2)
    assert built["tbp_lv_A__context_spread"].to_list() == pytest.approx([0.09116] * 2, abs=1e-5)


def test_how_unusual_a_lesion_is_sums_up_the_scores(simulated: pl.DataFrame) -> None:
    state = fit(simulated)
    built = build(simulated, ["patient.z", "location.z", "context.lesion", "context.patient"], state=state)
    for scope in ("patient", "location"):
        scores = built.select(f"{name}__{scope}_z" for name in APPEARANCE).to_numpy()
        assert built[f"context_{scope}_typical_z"].to_list() == pytest.approx(
            ((scores**2).mean(axis=1) ** 0.5).tolist(), rel=1e-5
        )
        assert built[f"context_{scope}_largest_z"].to_list() == pytest.approx(abs(scores).max(axis=1).tolist())
        assert built[f"context_{scope}_outlying"].to_list() == (abs(scores) > 2).sum(axis=1).tolist()
    levels = built.select(f"{name}__context_level" for name in APPEARANCE).to_numpy()
    assert built["context_unusual"].to_list() == pytest.approx(((levels**2).mean(axis=1) ** 0.5).tolist(), rel=1e-5)
    typical = built["context_patient_typical_z"]
    shares = pl.DataFrame({"t": typical, "p": simulated["patient_id"]}).select(
        ((pl.col("t").rank().over("p") - 0.5) / pl.len().over("p")).alias("share")
    )
    assert built["context_ugliness_rank"].to_list() == pytest.approx(shares["share"].to_list(), abs=1e-6)


def test_nothing_known_of_a_lesion(awkward: pl.DataFrame) -> None:
    empty = awkward.with_columns(pl.lit(None, pl.Float64).alias(name) for name in APPEARANCE)
    built = build(empty, ["context.lesion", "context.patient"])
    assert built["context_patient_largest_z"].to_list() == [0.0] * 60
    assert built["context_unusual"].to_list() == [0.0] * 60
    assert built["tbp_lv_A__context_level"].null_count() == 60
