from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cohort.column import CATEGORY, NUMBER
from cohort.columns import NEVER_FEATURES
from engine.errors import InputError
from features import DEFAULT_GROUPS, GROUPS, OwnFeature, build, dictionary, fit, switches
from features.documentation import features_page
from features.registry import compares_lesions


def test_the_page_is_current() -> None:
    page = Path(__file__).parents[2] / "docs" / "features.md"
    assert page.read_text("utf-8") == features_page(), "run `python -m features`"


def test_every_feature_says_what_it_is(awkward: pl.DataFrame) -> None:
    specs = dictionary(awkward.columns, tuple(GROUPS))
    assert len(specs) > 1300
    assert len({spec.name for spec in specs}) == len(specs)
    for spec in specs:
        assert spec.formula, spec.name
        assert spec.source, spec.name
        assert spec.missing, spec.name
        assert set(spec.needs) <= set(awkward.columns), spec.name
        assert spec.name not in NEVER_FEATURES
        assert not set(spec.needs) & NEVER_FEATURES


def test_what_is_described_is_what_is_built(awkward: pl.DataFrame) -> None:
    built = build(awkward, tuple(GROUPS))
    specs = dictionary(awkward.columns, tuple(GROUPS))
    assert built.columns == ["isic_id", *(spec.name for spec in specs)]
    assert [dtype == pl.Float32 for dtype in built.dtypes[1:]] == [spec.kind == "numeric" for spec in specs]


def test_each_switch_alone_gives_the_same_bits(awkward: pl.DataFrame) -> None:
    whole = build(awkward, tuple(GROUPS))
    specs = dictionary(awkward.columns, tuple(GROUPS))
    for switch in switches():
        names = [spec.name for spec in specs if spec.answers_to(switch)]
        assert build(awkward, [switch]).equals(whole.select("isic_id", *names)), switch


def test_a_complete_table_misses_only_what_the_dictionary_excepts(simulated: pl.DataFrame) -> None:
    places = ("tbp_lv_location", "tbp_lv_location_simple")
    full = simulated.with_columns(
        pl.col("age_approx").fill_null(50.0),
        pl.col("sex", "anatom_site_general").fill_null("none"),
        *(pl.col(place).replace("Unknown", "none") for place in places),
    )
    excepted = ("no value", "youngest", "oldest", "no other lesion")
    built = build(full, tuple(GROUPS))
    for spec in dictionary(full.columns, tuple(GROUPS)):
        if not any(word in spec.missing for word in excepted):
            assert built[spec.name].null_count() == 0, spec.name


def test_groups_of_one_lesion_give_it_the_same_bits_without_its_patients_others(simulated: pl.DataFrame) -> None:
    chance = np.random.default_rng(0)
    further = [pl.lit(1.0).alias(f"{NUMBER}x"), pl.Series(f"{CATEGORY}y", chance.choice(["a", "b"], simulated.height))]
    lesions = simulated.with_columns(further)
    images = lesions.select("isic_id", score=pl.Series(chance.random(lesions.height)))
    state = fit(lesions, images=images)
    alone = lesions.filter(pl.int_range(pl.len()).over("patient_id") == 0)
    for name, group in GROUPS.items():
        among, single = (build(frame, [name], state=state, images=images) for frame in (lesions, alone))
        assert single.width > 1, name
        same = single.equals(among.join(single.select("isic_id"), on="isic_id", how="semi"))
        assert same == group.of_one_lesion, name


def test_own_features_compare_lesions_where_they_summarise_others() -> None:
    plain, compared = (
        OwnFeature("mine", f"tbp_lv_areaMM2{rest}").switch for rest in ("", " - mean(age_approx) over site")
    )
    assert not compares_lesions(["basic", "own"], ["basic", plain])
    assert compares_lesions(["basic", "own"], ["basic", plain, compared])
    assert compares_lesions(["basic", "patient"], ["basic", "patient.z"])


def test_unknown_switches_are_named() -> None:
    with pytest.raises(InputError, match=r"unknown feature group 'patiant'. did you mean 'patient'"):
        dictionary(["tbp_lv_A"], ["patiant"])
    with pytest.raises(InputError, match=r"did you mean 'patient\.z'"):
        dictionary(["tbp_lv_A"], ["patient.zz"])


def test_columns_a_table_lacks_leave_their_features_out() -> None:
    names = [spec.name for spec in dictionary(["age_approx", "sex", "anatom_site_general"], DEFAULT_GROUPS)]
    assert names[:3] == ["age_approx", "sex", "anatom_site_general"]
    assert "age_approx__patient_z" in names
    assert not any("tbp" in name for name in names)


def test_keys_are_needed(awkward: pl.DataFrame) -> None:
    with pytest.raises(InputError, match="no column 'patient_id'"):
        build(awkward.drop("patient_id"))
    with pytest.raises(InputError, match="patient_id is empty in 1 row"):
        build(awkward.with_columns(pl.when(pl.col("patient_id") != "P1").then("patient_id").alias("patient_id")))


def test_the_table_follows_the_frame(awkward: pl.DataFrame) -> None:
    shuffled = awkward.sample(fraction=1, shuffle=True, seed=9)
    built = build(shuffled, ["basic"])
    assert built["isic_id"].to_list() == shuffled["isic_id"].to_list()
    assert built["sex"].to_list() == shuffled["sex"].to_list()
    assert build(awkward.clear(), tuple(GROUPS)).height == 0
