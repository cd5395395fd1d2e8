"""Features that a user writes as formulas, and groups that another package brings."""

from __future__ import annotations

import math
import re
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import features
from engine.errors import InputError
from features.groups.own import OwnFeature
from features.registry import all_groups, brought_by

COLUMN = "tbp_lv_areaMM2"
DOCUMENT = Path(__file__).parents[3] / "docs" / "own-features.md"
ORACLE: dict[str, Callable[[list[float], float], float]] = {
    "sum": lambda there, _own: math.fsum(there) if there else math.nan,
    "mean": lambda there, _own: statistics.fmean(there) if there else math.nan,
    "median": lambda there, _own: statistics.median(there) if there else math.nan,
    "sd": lambda there, _own: statistics.stdev(there) if len(there) > 1 else math.nan,
    "min": lambda there, _own: min(there, default=math.nan),
    "max": lambda there, _own: max(there, default=math.nan),
    "count": lambda there, _own: float(len(there)),
    "rank": lambda there, own: (sum(x < own for x in there) + sum(x == own for x in there) / 2) / max(len(there), 1),
}
PLACES = {"patient": None, "site": "anatom_site_general", "tile": "tbp_tile_type"}


def built(frame: pl.DataFrame, formula: str) -> np.ndarray:
    own = OwnFeature("mine", formula)
    own.check()
    return features.build(frame, [own.switch])["mine"].to_numpy()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("summary", ORACLE)
def test_a_summary_is_that_of_plain_python(awkward: pl.DataFrame, summary: str, place: str) -> None:
    column = PLACES[place]
    keys = [
        (row["patient_id"], (row["isic_id"] if row[column] in {None, "Unknown"} else row[column]) if column else None)
        for row in awkward.to_dicts()
    ]
    values = [x if x is not None and math.isfinite(x) else math.nan for x in awkward[COLUMN]]
    there: dict[tuple[str, str | None], list[float]] = defaultdict(list)
    for key, value in zip(keys, values, strict=True):
        there[key] += [value] if math.isfinite(value) else []
    expected = [ORACLE[summary](there[key], value) for key, value in zip(keys, values, strict=True)]
    if summary == "rank":
        expected = [share if math.isfinite(value) else math.nan for share, value in zip(expected, values, strict=True)]
    np.testing.assert_allclose(built(awkward, f"{summary}({COLUMN}) over {place}"), expected, rtol=1e-6, atol=1e-6)


def test_over_belongs_to_the_summary_before_it_and_summaries_nest(awkward: pl.DataFrame) -> None:
    share = built(awkward, f"{COLUMN} / sum({COLUMN}) over patient")
    shares = awkward.with_columns(mine=pl.Series(share, nan_to_null=True))
    totals = shares.group_by("patient_id").agg(pl.col("mine").sum()).filter(pl.col("mine") > 0)["mine"].to_list()
    assert totals == pytest.approx([1.0] * len(totals))
    nested = built(awkward, f"mean({COLUMN} / sum({COLUMN}) over patient) over patient")
    by_hand = built(awkward, f"1 / (count({COLUMN}) over patient)")
    known = np.isfinite(nested)
    assert known.sum() > 40
    np.testing.assert_allclose(nested[known], by_hand[known], rtol=1e-5)


def test_a_comparison_is_1_or_0_and_missing_where_a_side_is(awkward: pl.DataFrame) -> None:
    found = built(awkward, f"({COLUMN} > 5) + 10 * ({COLUMN} <= 5)")
    values = awkward[COLUMN].fill_null(math.nan).to_numpy()
    expected = np.where(np.isfinite(values), np.where(values > 5, 1.0, 10.0), np.nan)
    np.testing.assert_array_equal(found, expected)


def test_an_engineered_number_can_be_named(awkward: pl.DataFrame) -> None:
    own = OwnFeature("mine", "hue_contrast / 2")
    assert set(own.needs) == {"tbp_lv_H", "tbp_lv_Hext"}
    both = features.build(awkward, ["engineered", own.switch])
    np.testing.assert_array_equal(both["mine"].to_numpy(), both["hue_contrast"].to_numpy() / 2)


def test_the_dictionary_says_what_it_is_and_its_switch_holds_all_of_it() -> None:
    own = OwnFeature("mine", f"{COLUMN} - mean({COLUMN}) over site", "mm²", "clinic [A] = ours")
    assert OwnFeature.of(own.switch) == own
    (spec,) = features.dictionary([COLUMN, "anatom_site_general"], [own.switch])
    assert (spec.name, spec.switch, spec.formula, spec.unit) == ("mine", "own.mine", own.formula, "mm²")
    assert (spec.source, spec.needs) == ("clinic [A] = ours", (COLUMN, "anatom_site_general"))
    assert features.dictionary([COLUMN], [own.switch]) == []


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("tbp_lv_aeraMM2 / 2", "there is no column 'tbp_lv_aeraMM2'. did you mean 'tbp_lv_areaMM2'."),
        ("target / 2", "there is no column 'target'."),
        (f"sum({COLUMN})", r"sum\(...\) of which lesions\?. write sum\(...\) over patient."),
        (f"total({COLUMN}) over patient", "there is no summary 'total'."),
        (f"sum({COLUMN}) over hospital", "there is no scope 'hospital'."),
        (f"log({COLUMN})", "there is no function 'log'"),
        (f"sqrt({COLUMN}, 2, 3, 4)", "is no formula"),
        (f"{COLUMN} over patient", "is no formula"),
        (f"{COLUMN} +", "is no formula"),
        ("", "is no formula"),
        (f"{COLUMN} ** 11", "an exponent that is no small whole number. use 0 to 10."),
        (f"{COLUMN} ** {COLUMN}", "an exponent that is no small whole number"),
        ("9 ** 9", "a power of a number alone"),
        ("1 / 0", "is no formula"),
        ("__import__('os').getcwd()", "there is no function|there is no summary"),
        (f"(lambda: {COLUMN})()", "is no formula"),
        (f"[{COLUMN}][0]", "is no formula"),
        (f"{COLUMN}.real", "is no formula"),
        (f"{COLUMN} if {COLUMN} else 1", "is no formula"),
        ("'text'", "is no formula"),
        (f"{COLUMN} < 2 < 3", "is no formula"),
        (f"abs(x={COLUMN})", "is no formula"),
        ("+".join([COLUMN] * 50), "a formula of 749 characters. use at most 500."),
        ("(" * 230 + COLUMN + ")" * 230, "is no formula"),
    ],
)
def test_what_is_no_formula_is_refused_with_the_reason(formula: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        OwnFeature("mine", formula).check()


@pytest.mark.parametrize("name", [COLUMN, "target", "isic_id", "a__b", "a b", "", "_a", "ä"])
def test_what_cannot_name_a_feature_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot name a feature"):
        OwnFeature(name, COLUMN).check()


def test_a_name_that_a_built_feature_has_is_refused() -> None:
    with pytest.raises(InputError, match=r"\['hue_contrast'\] are taken"):
        features.dictionary(
            [COLUMN, "tbp_lv_H", "tbp_lv_Hext"], ["engineered", OwnFeature("hue_contrast", COLUMN).switch]
        )


def test_a_group_of_another_package_is_found_by_its_entry_point(
    awkward: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "our_clinic.py").write_text(code)
    information = tmp_path / "our_clinic-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: our-clinic\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[uglyduck.features]\nclinic = our_clinic:GROUP\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    all_groups.cache_clear()
    try:
        found = features.build(awkward, ["clinic"])
        assert set(brought_by(["basic", "clinic"])) == {"clinic"}
    finally:
        all_groups.cache_clear()
    assert found.columns == ["isic_id", "nearest_size"]
    joined = found.join(awkward, on="isic_id").group_by("patient_id").agg("nearest_size", "clin_size_long_diam_mm")
    for row in joined.to_dicts():
        sizes = [x if x is not None and math.isfinite(x) else math.nan for x in row["clin_size_long_diam_mm"]]
        others = [[abs(x - y) for at, y in enumerate(sizes) if at != own] for own, x in enumerate(sizes)]
        expected = [min((x for x in each if math.isfinite(x)), default=None) for each in others]
        assert row["nearest_size"] == pytest.approx(expected, abs=1e-5)
