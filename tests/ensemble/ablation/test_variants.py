"""Which variants there are, worked out by hand."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from ensemble.ablation import compare, families, group_design, organisers_design

SPECS = [
    {"name": "age", "group": "basic", "part": ""},
    {"name": "size", "group": "tbp", "part": ""},
    {"name": "colour", "group": "tbp", "part": ""},
    {"name": "ratio", "group": "engineered", "part": "formulas"},
    {"name": "size_z", "group": "patient", "part": "z"},
    {"name": "size_rank", "group": "patient", "part": "rank"},
]
EVERY = [spec["name"] for spec in SPECS]


def test_families_are_groups_or_parts_in_the_order_asked_for() -> None:
    assert list(families(SPECS, where="--groups")) == ["basic", "tbp", "engineered", "patient"]
    found = families(SPECS, ["patient.rank", "tbp", "patient.rank"], where="--groups")
    assert found == {"patient.rank": ("size_rank",), "tbp": ("size", "colour")}


def test_a_family_without_features_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no features of 'patient.y'.*did you mean 'patient.z'"):
        families(SPECS, ["patient.y"], where="--groups")


def test_groups_are_left_out_used_alone_and_added() -> None:
    tried = families(SPECS, ["basic", "patient"], where="")
    design = group_design(EVERY, tried, families(SPECS, ["basic", "tbp"], where=""))
    found = {variant.name: (variant.kind, variant.features, variant.against) for variant in design.variants}
    assert found == {
        "all": ("all", tuple(EVERY), "all"),
        "without basic": ("without", ("size", "colour", "ratio", "size_z", "size_rank"), "all"),
        "without patient": ("without", ("age", "size", "colour", "ratio"), "all"),
        "only basic + tbp": ("only", ("age", "size", "colour"), "all"),
        "only basic": ("only", ("age",), "all"),
        "only patient": ("only", ("size_z", "size_rank"), "all"),
        "basic + tbp plus patient": (
            "base plus",
            ("age", "size", "colour", "size_z", "size_rank"),
            "only basic + tbp",
        ),
    }
    assert design.not_applicable == {}
    design = group_design(EVERY, tried, {}, leave_out=True)
    assert [variant.name for variant in design.variants] == ["all", "without basic", "without patient"]


def test_pairs_know_their_two_halves() -> None:
    design = group_design(EVERY, families(SPECS, ["basic", "tbp", "engineered"], where=""), {}, pairs=True)
    pairs = {variant.name: variant for variant in design.variants if variant.kind == "pair"}
    assert list(pairs) == ["without basic + tbp", "without basic + engineered", "without tbp + engineered"]
    assert pairs["without basic + tbp"].features == ("ratio", "size_z", "size_rank")
    assert pairs["without basic + tbp"].apart == ("without basic", "without tbp")


def test_what_can_not_be_tried_is_said() -> None:
    specs = SPECS[:3]
    design = group_design(["age", "size", "colour"], families(specs, where=""), families(specs, ["basic"], where=""))
    # Two families: leaving one out is using the other alone, and the base is one of them.
    assert [variant.name for variant in design.variants] == ["all", "without basic", "without tbp", "basic plus tbp"]
    assert design.not_applicable == {
        "only basic": "the same features as 'without tbp'",
        "only tbp": "the same features as 'without basic'",
    }


def test_the_organisers_table_without_crops() -> None:
    design = organisers_design(EVERY, SPECS)
    found = {variant.name: variant.features for variant in design.variants}
    assert found == {
        "all": tuple(EVERY),
        "without patient context": ("age", "size", "colour", "ratio"),
        "without TBP measurements": ("age", "size_z", "size_rank"),
        "only TBP measurements + patient context": ("size", "colour", "ratio", "size_z", "size_rank"),
        "only TBP measurements": ("size", "colour", "ratio"),
        "only basic": ("age",),
    }
    assert design.not_applicable == {
        "without tiles": "the run has no features of tiles",
        "only tiles": "the run has no features of tiles",
        "only tiles + patient context": "the run has no features of tiles",
        "only basic + tiles": "the run has no features of tiles",
        "only basic + TBP measurements": "the same features as 'without patient context'",
    }


def test_tiles_are_the_image_group() -> None:
    specs = [*SPECS, {"name": "image_score", "group": "image", "part": "score"}]
    found = {variant.name: variant.features for variant in organisers_design([*EVERY, "image_score"], specs).variants}
    assert found["only tiles"] == ("image_score",)
    assert found["without tiles"] == tuple(EVERY)
    assert found["only basic + tiles"] == ("age", "image_score")


def test_what_is_compared_with_a_variant_that_is_anothers_equal_is_compared_with_that_one() -> None:
    # README's recipe: basic, tbp and patient.z, so that leaving patient out is the base itself.
    specs = [spec for spec in SPECS if spec["group"] != "engineered" and spec["part"] != "rank"]
    every = [spec["name"] for spec in specs]
    base = families(specs, ["basic", "tbp"], where="")
    design = group_design(every, families(specs, ["patient.z"], where=""), base)
    assert design.not_applicable["only basic + tbp"] == "the same features as 'without patient.z'"
    assert {variant.name: variant.against for variant in design.variants}["basic + tbp plus patient.z"] == (
        "without patient.z"
    )


@pytest.mark.parametrize("seed", range(60))
def test_any_groups_a_run_can_have_can_be_compared(seed: int) -> None:
    random = np.random.default_rng(seed)
    specs = [SPECS[place] for place in sorted(random.choice(len(SPECS), random.integers(1, 7), replace=False))]
    every = [spec["name"] for spec in specs]
    switches = sorted({spec["group"] for spec in specs} | {f"{s['group']}.{s['part']}" for s in specs if s["part"]})
    tried, base = (
        families(specs, random.choice(switches, random.integers(least, len(switches) + 1), replace=False), where="")
        for least in (1, 0)
    )
    design = group_design(every, tried, base, pairs=bool(seed % 2), leave_out=seed % 5 == 0)
    target = np.tile(np.array([0, 0, 1], dtype=np.int8), 8)
    scores = {variant.name: random.random(24) for variant in design.variants}
    patient = pl.Series([str(row // 3) for row in range(24)])
    found = compare(design.variants, [scores], target=target, patient=patient, replicates=100, seed=0)
    assert [row["name"] for row in found["rows"]] == [variant.name for variant in design.variants[1:]]
    assert all(row["against"] in scores for row in found["rows"])
