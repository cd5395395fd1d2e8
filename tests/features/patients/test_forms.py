"""Every form in every scope against plain loops over one lesion at a time."""

import math
import statistics

import polars as pl
import pytest

from features import FeatureState, build
from features.arithmetic.order import TO_SD
from features.groups.scopes import SCOPES
from features.patients.forms import FORMS
from features.patients.measures import RATIO
from features.patients.state import Scale

NUMBERS = ("clin_size_long_diam_mm", "tbp_lv_A", "tbp_lv_B", "tbp_lv_L", "tbp_lv_C", "tbp_lv_H", "age_approx")
PULLS = {"site": 2.0, "region": 3.0, "location": 5.0, "tile": 7.0}
WITHIN, ROBUST = 2.5, 2.0
STATE = FeatureState({name: Scale(6.0, 3.0, WITHIN, 1.0, ROBUST, PULLS) for name in NUMBERS})
Row = dict[str, object]


def value_of(row: Row, number: str) -> float | None:
    value = row[number]
    return value if isinstance(value, float) and math.isfinite(value) else None


def peers(rows: list[Row], row: Row, column: str) -> list[Row]:
    """The lesions of the same patient and place, the lesion among them; one without a place is alone."""
    mine = [other for other in rows if other["patient_id"] == row["patient_id"]]
    if not column:
        return mine
    if row[column] in (None, "Unknown"):
        return [row]
    return [other for other in mine if other[column] == row[column]]


def numbers(rows: list[Row], number: str) -> list[float]:
    return [value for value in (value_of(row, number) for row in rows) if value is not None]


def mean(values: list[float]) -> float:
    return statistics.fmean(values) if values else 0.0


def squares(values: list[float]) -> float:
    centre = mean(values)
    return sum((value - centre) ** 2 for value in values)


def middle(values: list[float]) -> float:
    return statistics.median(values)


def robust(values: list[float]) -> float:
    centre = middle(values)
    return TO_SD * statistics.median([abs(value - centre) for value in values])


def variance(values: list[float], within: float) -> float:
    return (squares(values) + 4 * within**2) / (max(len(values) - 1, 0) + 4)


def rank_share(value: float, values: list[float]) -> float:
    below, same = sum(v < value for v in values), sum(v == value for v in values)
    return (below + same / 2) / len(values)


def expected(form: str, value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    """The form by its definition; `pull` is None in the patient scope."""
    definitions = {"z": z, "loo": without_itself, "rank": rank, "gap": gap, "ratio": ratio, "robust": robust_z}
    return definitions[form](value, own, patient, pull)


def lean(own: float, patient: float, n: int, pull: float | None) -> float:
    return own if pull is None else (n * own + pull * patient) / (n + pull)


def sd(own: list[float], patient: list[float], pull: float | None) -> float:
    v_patient = variance(patient, WITHIN)
    return math.sqrt(v_patient if pull is None else (squares(own) + 4 * v_patient) / (len(own) - 1 + 4))


def z(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    return (value - lean(mean(own), mean(patient), len(own), pull)) / sd(own, patient, pull)


def rank(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    return lean(rank_share(value, own), rank_share(value, patient), len(own), pull)


def gap(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    others = sorted(own)
    others.remove(value)
    if not others:
        return 0.0
    return (value - others[-1] if value >= middle(own) else others[0] - value) / sd(own, patient, pull)


def ratio(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    return (value + 0.06) / (lean(middle(own), middle(patient), len(own), pull) + 0.06)


def robust_z(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    n, whole = len(own), len(patient)
    r_patient = ((whole - 1) * robust(patient) ** 2 + 4 * ROBUST**2) / (whole - 1 + 4)
    r = r_patient if pull is None else ((n - 1) * robust(own) ** 2 + 4 * r_patient) / (n - 1 + 4)
    return (value - lean(middle(own), middle(patient), n, pull)) / math.sqrt(r)


def without_itself(value: float, own: list[float], patient: list[float], pull: float | None) -> float:
    rest, rest_patient = sorted(own), sorted(patient)
    rest.remove(value)
    rest_patient.remove(value)
    if not rest_patient:
        return 0.0
    v_patient = variance(rest_patient, WITHIN)
    if pull is None:
        return (value - mean(rest_patient)) / math.sqrt(v_patient)
    centre = (len(rest) * mean(rest) + pull * mean(rest_patient)) / (len(rest) + pull)
    v = (squares(rest) + 4 * v_patient) / (max(len(rest) - 1, 0) + 4)
    return (value - centre) / math.sqrt(v)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.name)
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.part)
def test_form_agrees_with_plain_loops(scope: object, form: object, awkward: pl.DataFrame) -> None:
    name, column, part = scope.name, scope.column, form.part  # type: ignore[attr-defined]
    built = build(awkward, [f"{name}.{part}"], state=STATE)
    rows = awkward.to_dicts()
    for number in NUMBERS:
        if part == "ratio" and number not in RATIO:
            continue
        found = built[f"{number}__{name}_{part}"].to_list()
        for row, got in zip(rows, found, strict=True):
            value = value_of(row, number)
            if value is None:
                assert got is None
                continue
            own, patient = numbers(peers(rows, row, column), number), numbers(peers(rows, row, ""), number)
            want = expected(part, value, own, patient, PULLS[name] if column else None)
            assert got == pytest.approx(want, rel=1e-5, abs=1e-5), (number, row["patient_id"], row["isic_id"])


@pytest.mark.parametrize(("part", "value"), [("z", 0), ("loo", 0), ("robust", 0), ("gap", 0), ("ratio", 1)])
@pytest.mark.parametrize("state", [None, STATE, FeatureState()], ids=["built-in", "fitted", "none"])
def test_alone_or_constant_is_exact(part: str, value: float, state: FeatureState | None, awkward: pl.DataFrame) -> None:
    small = awkward.filter(pl.col("patient_id").is_in(["P1", "P4"]))
    for scope in SCOPES:
        built = build(small, [f"{scope.name}.{part}"], state=state)
        columns = [name for name in built.columns[1:] if name.partition("__")[0] in NUMBERS]
        assert columns
        for name in columns:
            assert set(built[name].to_list()) <= {float(value)}, name


@pytest.mark.parametrize("state", [None, STATE, FeatureState()], ids=["built-in", "fitted", "none"])
def test_rank_of_a_lesion_alone_or_of_equals_is_a_half(state: FeatureState | None, awkward: pl.DataFrame) -> None:
    small = awkward.filter(pl.col("patient_id").is_in(["P1", "P4"]))
    built = build(small, [f"{scope.name}.rank" for scope in SCOPES], state=state)
    for name in built.columns[1:]:
        if name.partition("__")[0] in NUMBERS:
            assert built[name].to_list() == pytest.approx([0.5] * 5), name


def test_two_lesions_lean_on_the_cohort() -> None:
    # Values 4 and 8: SS = 8, n - 1 = 1, w = 2.5: variance (8 + 25) / 5 = 6.6, z = ±2 / 2.569 = ±0.7785.
    frame = pl.DataFrame({"isic_id": ["a", "b"], "patient_id": ["P", "P"], "tbp_lv_A": [4.0, 8.0]})
    built = build(frame, ["patient.z", "patient.loo"], state=STATE)
    assert built["tbp_lv_A__patient_z"].to_list() == pytest.approx([-0.77850, 0.77850], abs=1e-5)
    # Left out: the other lesion alone, SS = 0: variance 25 / 4, deviation ±4 / 2.5 = ±1.6.
    assert built["tbp_lv_A__patient_loo"].to_list() == pytest.approx([-1.6, 1.6])


def test_a_lesion_does_not_hide_itself() -> None:
    # One lesion far out among nine: its own z is held at most at (n - 1) / sqrt(n), left out it is not.
    values = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 100.0]
    ids = [f"{place}" for place in range(9)]
    frame = pl.DataFrame({"isic_id": ids, "patient_id": ["P"] * 9, "tbp_lv_A": values})
    built = build(frame, ["patient"], state=FeatureState())
    assert 2.6 < built["tbp_lv_A__patient_z"][8] < 8 / 3
    assert built["tbp_lv_A__patient_loo"][8] > 400
    assert built["tbp_lv_A__patient_gap"][8] == pytest.approx(99.3 / 33.2, rel=1e-2)
    assert built["tbp_lv_A__patient_gap"][0] == pytest.approx(0.1 / 33.2, rel=1e-2)


def test_without_a_state_nothing_is_shrunk() -> None:
    # 1, 2, 6: mean 3, SS 14, sd sqrt(7).
    frame = pl.DataFrame({"isic_id": list("abc"), "patient_id": ["P"] * 3, "tbp_lv_A": [1.0, 2.0, 6.0]})
    built = build(frame, ["patient.z"], state=FeatureState())
    assert built["tbp_lv_A__patient_z"].to_list() == pytest.approx([-2 / 7**0.5, -1 / 7**0.5, 3 / 7**0.5])
