"""Members of the ensemble, the table alone, calibration, the known optimum and the nested estimate, in a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from engine.errors import InputError
from ensemble.learners import get_learner
from ensemble.model_store import ModelStore, Slot
from tests.uglyduck.conftest import QUICK, Command
from uglyduck.run.config import EnsembleConfig, FusionName
from uglyduck.run.members import Member, configured_members, models_of_table_alone, seeing_members, with_twins

SPECS = [
    {"name": "age", "group": "basic", "part": ""},
    {"name": "area", "group": "tbp", "part": ""},
    {"name": "area_z", "group": "patient", "part": "z"},
    {"name": "area_rank", "group": "patient", "part": "rank"},
    {"name": "image_score", "group": "image", "part": "score"},
]
LEARNER = get_learner("logistic", {})


def test_a_member_sees_its_groups_and_parts() -> None:
    assert Member(LEARNER).features(SPECS) is None
    assert Member(LEARNER, ("basic", "patient.z")).features(SPECS) == ("age", "area_z")
    assert Member(LEARNER, ("patient",)).features(SPECS) == ("area_z", "area_rank")
    assert Member(LEARNER, images=False).features(SPECS) == ("age", "area", "area_z", "area_rank")


def test_a_group_that_the_run_does_not_build_is_refused() -> None:
    with pytest.raises(InputError, match="no features of hospital"):
        Member(LEARNER, ("hospital",)).features(SPECS)
    with pytest.raises(InputError, match="sees no feature"):
        Member(LEARNER, ("image",), images=False).features(SPECS)


def test_each_member_that_sees_images_and_the_table_has_a_twin_of_the_table_alone() -> None:
    members = {"a": Member(LEARNER), "b": Member(LEARNER, images=False), "c": Member(LEARNER, ("image",))}
    assert list(with_twins(members, SPECS)) == ["a", "b", "c", "a-table"]
    assert models_of_table_alone(members, SPECS) == {"a": "a-table", "b": "b"}


@pytest.mark.parametrize(
    ("members", "specs"),
    [
        ({"a": Member(LEARNER)}, SPECS[:-1]),
        ({"a": Member(LEARNER, images=False)}, SPECS),
        ({"a": Member(LEARNER)}, SPECS[-1:]),
    ],
    ids=["no images", "images that no member sees", "images alone"],
)
def test_without_both_there_is_no_table_alone(members: dict[str, Member], specs: list[dict[str, str]]) -> None:
    assert with_twins(members, specs) == members
    assert models_of_table_alone(members, specs) == {}


def test_a_member_that_sees_nothing_that_varies_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    members = {"a": Member(LEARNER), "b": Member(LEARNER, ("tbp", "basic")), "c": Member(LEARNER, ("image",))}
    assert list(seeing_members(members, SPECS)) == ["a", "b", "c"]
    assert not caplog.records
    assert list(seeing_members(members, SPECS[2:])) == ["a", "c"]
    assert "b is left out" in caplog.text
    with pytest.raises(InputError, match=r"every feature is the same for all lesions, so a, b, c can learn nothing"):
        seeing_members(members, [])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learners": ("lightgbm",), "members": {"plain": {"learner": "logistic"}}}, "plain, which the run"),
        ({"learners": ("lightgbm", "lightgbm")}, "named twice"),
        ({"learners": ("plain",), "members": {"plain": {"learner": "logistics"}}}, "use logistic"),
    ],
)
def test_wrong_members_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        configured_members(EnsembleConfig.model_validate(settings), "early")


def test_fusion_says_who_sees_images() -> None:
    settings = EnsembleConfig.model_validate(
        {
            "learners": ("xgboost", "plain", "seer"),
            "members": {
                "plain": {"learner": "logistic", "images": True},
                "seer": {"learner": "logistic", "groups": ("image.score",)},
            },
        }
    )
    kinds = {
        fusion: {name: member.kinds(SPECS) for name, member in configured_members(settings, fusion).items()}
        for fusion in get_args(FusionName)
    }
    asked = {"plain": {True, False}, "seer": {True}}
    assert kinds["early"] == {"xgboost": {True, False}, **asked}
    assert kinds["late"] == {"xgboost": {False}, **asked, "crops": {True}}
    assert kinds["both"] == {"xgboost": {True, False}, **asked, "crops": {True}}


def test_a_group_that_the_run_does_not_build_is_refused_though_others_see_enough(
    small: Path, copied: Path, tmp_path: Path, command: Command
) -> None:
    plain = '[ensemble.members.plain]\nlearner = "logistic"\ngroups = ["hospital"]\n'
    config = QUICK[: QUICK.index("[ensemble]")] + '[ensemble]\nlearners = ["logistic", "plain"]\n' + plain
    (tmp_path / "other.toml").write_text(config.replace('"data/', f'"{small}/data/'))
    done = command("run", tmp_path / "other.toml", "--out", copied, check=False)
    assert done.returncode == 2
    assert "the run builds no features of hospital" in done.stderr.splitlines()[-1]


@pytest.fixture(scope="module")
def imaged(small: Path, command: Command) -> Path:
    """A run with image scores, a member of its own, the truth, and the nested estimate."""
    train = pl.read_parquet(small / "data" / "truth.parquet")
    train.select("isic_id", score="p_crop").write_parquet(small / "scores.parquet")
    ensemble = """learners = ["lightgbm", "plain"]
blend = "stack"
fusion = "early"
image_noise = 0.1
indeterminate_weight = 2.0
[ensemble.members.plain]
learner = "logistic"
groups = ["basic", "tbp"]
images = false
[ensemble.parameters]
lightgbm = { n_trees = 20 }
[calibration]
prevalence = 0.001
"""
    config = QUICK[: QUICK.index("[ensemble]")] + "[ensemble]\n" + ensemble + "[metrics]\nreplicates = 200\n"
    config = config.replace('csv"', 'csv"\nimage_scores = "scores.parquet"\ntruth = "data/truth.parquet"')
    config = config.replace('"context"]', '"context", "image"]')
    (small / "imaged.toml").write_text(config)
    command("run", small / "imaged.toml", "--out", small / "imaged", "--nested")
    return small / "imaged"


def test_oof_holds_the_table_alone_and_every_blend(imaged: Path) -> None:
    oof = pl.read_parquet(imaged / "oof.parquet")
    keys = ["isic_id", "patient_id", "target", "fold"]
    blends = ["blend_mean", "blend_greedy", "blend_stack", "blend", "risk"]
    assert oof.columns == [*keys, "lightgbm", "plain", "lightgbm-table", *blends, "table"]
    assert oof["blend"].equals(oof["blend_stack"], check_names=False)
    assert oof["risk"].median() < 0.001 < oof["risk"].mean() < oof["target"].mean()  # stated at 1 in 1,000, not 20
    for _, fold in oof.group_by("fold"):  # each fold has a map of its own
        assert fold.sort("blend")["risk"].is_sorted()


def test_models_hold_the_features_they_may_see(imaged: Path) -> None:
    store = ModelStore(imaged / "models")
    space = store.load(Slot("plain", 0, 0, 0)).space
    assert "image_score" not in space.names
    assert not any("patient" in name for name in space.names)
    assert "image_score" in (store.space.names if store.space else ())


def test_metrics_show_table_image_and_both_with_the_distance_to_the_optimum(imaged: Path) -> None:
    metrics = json.loads((imaged / "metrics.json").read_text())
    assert metrics["data"] == "simulated"
    assert {"lightgbm", "plain", "blend", "table"} <= set(metrics["scores"])
    best = metrics["optimum"]["both"]["pooled"]["pauc"]["estimate"]
    lacking = metrics["optimum"]["both"]["blend_minus"]["pauc"]["estimate"]
    assert metrics["scores"]["blend"]["pooled"]["pauc"]["estimate"] - best == pytest.approx(lacking)
    assert metrics["blends"]["methods"]["mean"]["minus_mean"]["pauc"]["estimate"] == 0
    calibration = metrics["calibration"]
    assert calibration["method"] == "beta"
    assert calibration["prevalence"] == 0.001
    assert calibration["expected_over_observed"]["estimate"] == pytest.approx(1, abs=0.2)


def test_without_images_the_learners_that_see_the_table_score(imaged: Path, small: Path, command: Command) -> None:
    test = small / "data" / "test-metadata.csv"
    done = command("predict", imaged, "--metadata", test, "--out", small / "alone.csv")
    assert "table alone" in done.stderr
    truth = pl.read_parquet(small / "data" / "test-truth.parquet")
    truth.select("isic_id", score="p_crop").write_parquet(small / "test-scores.parquet")
    given = ["--image-scores", small / "test-scores.parquet", "--out", small / "both.csv"]
    command("predict", imaged, "--metadata", test, *given)
    alone, both = (pl.read_csv(small / name)["target"] for name in ("alone.csv", "both.csv"))
    assert not alone.equals(both)
    assert np.corrcoef(alone.rank(), both.rank())[0, 1] > 0.5


def test_features_of_other_lesions_take_a_table_of_image_scores(
    imaged: Path, small: Path, tmp_path: Path, command: Command
) -> None:
    scores = pl.read_parquet(small / "data" / "test-truth.parquet").select("isic_id", score="p_crop")
    scores.write_parquet(tmp_path / "seen.parquet")
    given = ["features", imaged, "--metadata", small / "data/test-metadata.csv", "--out", tmp_path / "features.parquet"]
    command(*given, "--image-scores", tmp_path / "seen.parquet")
    built = pl.read_parquet(tmp_path / "features.parquet").select("isic_id", "image_score")
    both = built.join(scores, on="isic_id", validate="1:1")
    assert both.height == scores.height
    np.testing.assert_allclose(both["image_score"], both["score"], rtol=1e-6)
    done = command(*given, "--image-scores", tmp_path / "absent.parquet", check=False)
    assert done.returncode == 2
    assert "absent.parquet: no such file" in done.stderr


def test_the_nested_estimate_is_written_and_kept(imaged: Path, small: Path, command: Command) -> None:
    nested = json.loads((imaged / "nested.json").read_text())
    usual = json.loads((imaged / "metrics.json").read_text())["scores"]["blend"]["pooled"]["pauc"]["estimate"]
    assert nested["usual"]["pooled"]["pauc"]["estimate"] == usual
    difference = nested["nested_minus_usual"]["pooled"]["pauc"]["estimate"]
    assert nested["scores"]["blend"]["pooled"]["pauc"]["estimate"] - usual == pytest.approx(difference)
    before = (imaged / "nested.parquet").read_bytes()
    (imaged / "nested.parquet").unlink()
    done = command("run", small / "imaged.toml", "--out", imaged, "--nested")
    assert done.stderr.count("there already") == 3  # all of each outer fold
    assert (imaged / "nested.parquet").read_bytes() == before
    assert "Fully nested" in done.stdout


def test_nested_and_until_do_not_go_together(small: Path, command: Command) -> None:
    done = command("run", small / "quick.toml", "--nested", "--until", "folds", check=False)
    assert done.returncode == 2
    assert "leave --until out" in done.stderr


def test_image_scores_that_are_no_parquet_are_the_users_fault(small: Path, command: Command, tmp_path: Path) -> None:
    (tmp_path / "scores.csv").write_text("isic_id,score\nISIC_1,0.5\n")
    config = QUICK.replace("data/", f"{small}/data/").replace('csv"', f'csv"\nimage_scores = "{tmp_path}/scores.csv"')
    (tmp_path / "other.toml").write_text(config)
    done = command("run", tmp_path / "other.toml", "--out", tmp_path / "run", check=False)
    assert done.returncode == 2
    assert "scores.csv: not a readable Parquet file" in done.stderr.splitlines()[-1]
