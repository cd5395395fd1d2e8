import json
from itertools import chain

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from features import FeatureState, build, fit
from features.arithmetic.order import TO_SD
from features.builtin import builtin_state, make_builtin
from features.fitting import _summary, _Table
from features.groups.scopes import SCOPES
from features.patients.block import Block
from features.patients.numbers import COMPARED

VALUES = {
    "P": {"arm": [1.0, 2.0, 3.0], "leg": [7.0, 8.0]},
    "Q": {"arm": [4.0], "leg": [6.0, 6.0]},
    "R": {"arm": [5.0]},
}


@pytest.fixture(scope="module")
def lesions() -> pl.DataFrame:
    rows = [(p, site, value) for p, sites in VALUES.items() for site, values in sites.items() for value in values]
    patient, site, value = zip(*rows, strict=True)
    ids = [f"{row:02d}" for row in range(len(rows))]
    return pl.DataFrame({"isic_id": ids, "patient_id": patient, "anatom_site_general": site, "tbp_lv_A": value})


def test_scale_by_loops(lesions: pl.DataFrame) -> None:
    scale = fit(lesions).scales["tbp_lv_A"]
    groups = [list(chain.from_iterable(sites.values())) for sites in VALUES.values()]
    every = list(chain.from_iterable(groups))
    within = sum(np.var(group) * len(group) for group in groups) / sum(len(group) - 1 for group in groups)
    mads = [np.median(np.abs(np.array(group) - np.median(group))) for group in groups]
    robust = sum((len(group) - 1) * (TO_SD * mad) ** 2 for group, mad in zip(groups, mads, strict=True)) / 6
    apart = sum(len(group) * (np.mean(group) - np.mean(every)) ** 2 for group in groups)
    between = max(apart - 2 * within, 0) / (9 - sum(len(group) ** 2 for group in groups) / 9)
    assert scale.mean == pytest.approx(np.mean(every))
    assert scale.sd == pytest.approx(np.std(every, ddof=1))
    assert scale.within == pytest.approx(within**0.5)
    assert scale.robust == pytest.approx(robust**0.5)
    assert scale.between == pytest.approx(between**0.5)


def test_what_is_not_kept_of_a_single_value_is_known(lesions: pl.DataFrame) -> None:
    missing = lesions.with_columns(tbp_lv_A=pl.when(pl.col("isic_id") != "07").then("tbp_lv_A"))
    for frame in (lesions, missing):
        rows = np.stack(list(_summary(Block.of(frame), "tbp_lv_A", SCOPES[1:2])))
        kept = _Table.of(rows)
        assert kept.rest.shape[1] < rows.shape[1]
        np.testing.assert_array_equal(_Table.together([kept, kept]), np.concatenate([rows, rows], axis=1))


def test_pull_by_hand(lesions: pl.DataFrame) -> None:
    # Inside places SS 2 + 0.5 + 0 + 0 + 0 = 2.5 on 9 - 5 = 4 degrees: 0.625.
    # SS of patients 38.8 + 8/3 + 0; between places 38.9667 - 0.625 × (1 + 1 + 0); spare (5 - 13/5) + (3 - 5/3) + 0.
    error = 2.5 / 4
    patients = np.var([1, 2, 3, 7, 8]) * 5 + np.var([4, 6, 6]) * 3
    between = (patients - 2.5 - error * 2) / (5 - 13 / 5 + 3 - 5 / 3)
    pull = fit(lesions).scales["tbp_lv_A"].pulls["site"]
    assert pull == pytest.approx(max(error / between, 0.5))


def test_places_that_do_not_differ_pull_all_the_way() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "isic_id": [f"{row:03d}" for row in range(400)],
            "patient_id": [f"P{row % 4}" for row in range(400)],
            "anatom_site_general": [f"{row % 7}" for row in range(400)],
            "tbp_lv_A": np.tile(rng.normal(size=4), 100) + np.repeat(rng.normal(size=100), 4),
        }
    )
    assert fit(frame).scales["tbp_lv_A"].pulls["site"] > 20


def test_it_is_stored_to_the_last_bit(simulated: pl.DataFrame) -> None:
    state = fit(simulated)
    again = FeatureState.from_dict(json.loads(json.dumps(state.as_dict(), allow_nan=False)))
    assert again == state
    assert build(simulated, state=again).equals(build(simulated, state=state))


def test_a_state_of_another_version_is_refused() -> None:
    with pytest.raises(InputError, match=r"features\.json: feature state of format 0"):
        FeatureState.from_dict({"format": 0})


def test_nothing_to_fit() -> None:
    empty = pl.DataFrame(schema={"isic_id": pl.String, "patient_id": pl.String, "tbp_lv_A": pl.Float64})
    assert fit(empty) == FeatureState()
    nulls = pl.DataFrame({"isic_id": ["a"], "patient_id": ["P"], "tbp_lv_A": [None]}, schema=empty.schema)
    assert fit(nulls).scales == {}


def test_one_lesion_a_patient_has_nothing_within() -> None:
    frame = pl.DataFrame({"isic_id": ["a", "b"], "patient_id": ["P", "Q"], "tbp_lv_A": [1.0, 3.0]})
    scale = fit(frame).scales["tbp_lv_A"]
    assert (scale.mean, scale.within, scale.robust) == (2.0, 0.0, 0.0)


def test_the_built_in_constants_are_those_of_the_simulator() -> None:
    stored = builtin_state()
    fresh = FeatureState.from_dict(json.loads(make_builtin(3_000)))
    assert set(stored.scales) == set(COMPARED)
    for name, scale in fresh.scales.items():
        assert stored.scales[name].within == pytest.approx(scale.within, rel=0.6), name
    assert stored.hospitals == {}


def test_without_a_state_the_built_in_one_serves() -> None:
    frame = pl.DataFrame({"isic_id": ["a", "b"], "patient_id": ["P", "P"], "tbp_lv_A": [15.0, 25.0]})
    assert build(frame, ["patient"]).equals(build(frame, ["patient"], state=builtin_state()))
