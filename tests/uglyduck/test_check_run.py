"""Each check of a run fires on a copy of a finished run that was doctored for it, and is clear on the run itself."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from cohort.data_tables import checks_table
from cohort.findings import Finding
from cohort.lesions import write_rows
from engine.files import read_json, read_sealed, write_json, write_parquet, write_sealed
from ensemble.run_checks import RUN_CHECKS
from ensemble.run_checks.tables import fill
from tests.uglyduck.conftest import accept
from uglyduck.run.run import open_run
from uglyduck.studies.checks import RunChecks

Command = Callable[..., Any]
BY_CODE = {check.code: check for check in RUN_CHECKS}


@pytest.fixture(scope="module")
def sound(finished: Path, small: Path) -> dict[str, Finding]:
    """Every answer about the run as it was made, compared with its own training lesions."""
    checks = RunChecks(open_run(finished), small / "data" / "train-metadata.csv")
    return {finding.code: finding for finding in checks.findings()}


def _oof(run: Path, **columns: pl.Expr) -> None:
    write_parquet(pl.read_parquet(run / "oof.parquet").with_columns(**columns), run / "oof.parquet")


def _split_a_patient(run: Path) -> None:
    folds = pl.read_parquet(run / "folds.parquet")
    write_parquet(
        folds.with_columns(
            fold=pl.when(pl.int_range(pl.len()) == 0)
            .then(1 - pl.col("fold").clip(0, 1))
            .otherwise("fold")
            .cast(pl.Int8)
        ),
        run / "folds.parquet",
    )


def _use_the_thickness(run: Path) -> None:
    table = pl.read_parquet(run / "features.parquet")
    write_parquet(table.with_columns(mel_thick_mm=pl.lit(0.0, pl.Float32)), run / "features.parquet")


def _lose_a_lesion(run: Path) -> None:
    write_parquet(pl.read_parquet(run / "oof.parquet")[1:], run / "oof.parquet")


def _repeat_a_lesion(run: Path) -> None:
    oof = pl.read_parquet(run / "oof.parquet")
    write_parquet(pl.concat([oof, oof[:1]]), run / "oof.parquet")


def _change_a_model(run: Path) -> None:
    with (run / "models" / "lightgbm" / "fold1-seed0.txt").open("a") as model:
        model.write(" ")


def _lose_a_file(run: Path) -> None:
    (run / "metrics.json").unlink()


def _lose_a_model(run: Path) -> None:
    manifest = read_sealed(run / "models" / "manifest.json", remedy="")
    del manifest["models"]["xgboost/fold2-seed0"]
    write_sealed(manifest, run / "models" / "manifest.json")


def _tell_the_answer(run: Path) -> None:
    target = pl.read_parquet(run / "oof.parquet").select("isic_id", (pl.col("target") * 0.5 + 1).cast(pl.Float32))
    table = pl.read_parquet(run / "features.parquet").join(target, on="isic_id", maintain_order="left")
    write_rows(table.rename({"target": "answer"}), run / "features.parquet")


def _rank_by_small_size(run: Path) -> None:
    """Small malignant lesions on top, the others by chance."""
    table = pl.read_parquet(run / "features.parquet", columns=["isic_id", "clin_size_long_diam_mm"])
    oof = pl.read_parquet(run / "oof.parquet").join(table, on="isic_id", maintain_order="left")
    small = (pl.col("clin_size_long_diam_mm") < 6) & (pl.col("target") == 1)
    write_parquet(
        oof.with_columns(blend=pl.when(small).then(1.0).otherwise(pl.lit(_noise(oof.height)))), run / "oof.parquet"
    )


def _noise(rows: int) -> pl.Series:
    return pl.Series(np.random.default_rng(0).uniform(size=rows))


def _rank_by_chance(run: Path) -> None:
    _oof(run, blend=pl.lit(_noise(pl.read_parquet(run / "oof.parquet").height)))


def _spoil_a_fold(run: Path) -> None:
    better = pl.col("target") * 0.25 + pl.col("blend").rank() / pl.len() * 0.75
    chance = pl.lit(_noise(pl.read_parquet(run / "oof.parquet").height))
    _oof(run, blend=pl.when(pl.col("fold") == 0).then(chance).otherwise(better))


def _rank_well(run: Path) -> None:
    _oof(run, blend=pl.col("target") * 0.4 + pl.col("blend") * 0.6)


def _silence_a_learner(run: Path) -> None:
    blend = read_json(run / "blend.json")
    blend["weights"] = {"lightgbm": 0.5, "xgboost": 0.5, "catboost": 0.0}
    write_json(blend, run / "blend.json")


def _double_the_risks(run: Path) -> None:
    _oof(run, risk=pl.col("risk").clip(0, 0.5) * 2)


def _exceed_certainty(run: Path) -> None:
    _oof(run, risk=pl.when(pl.int_range(pl.len()) == 7).then(1.5).otherwise("risk"))


def _stretch_the_scale(run: Path) -> None:
    _oof(run, blend=pl.col("blend") ** 4)


DOCTORED: list[tuple[str, Callable[[Path], None], str]] = [
    ("UD201", _split_a_patient, "1 of 30 patients"),
    ("UD202", _use_the_thickness, "mel_thick_mm"),
    ("UD203", _lose_a_lesion, "1 missing, 0 repeated, 0 unknown among 3000"),
    ("UD203", _repeat_a_lesion, "0 missing, 1 repeated, 0 unknown among 3000"),
    ("UD204", _change_a_model, "0 missing, 1 changed of"),
    ("UD204", _lose_a_file, "1 missing, 0 changed of"),
    ("UD205", _lose_a_model, "1 of 9, such as xgboost/fold2-seed0"),
    ("UD206", _tell_the_answer, "answer alone has AUC 1.000"),
    ("UD207", _rank_by_small_size, "lesions under 2.5 mm"),
    ("UD208", _rank_by_chance, "worse"),
    ("UD209", _spoil_a_fold, "p = "),
    ("UD211", _silence_a_learner, "without catboost the scores are the same"),
    ("UD213", _double_the_risks, "malignant lesions ("),
    ("UD213", _exceed_certainty, "1 risks are not between 0 and 1"),
    ("UD215", _stretch_the_scale, "gap "),
]


@pytest.mark.parametrize(("code", "doctor", "said"), DOCTORED, ids=lambda value: getattr(value, "__name__", None))
def test_a_doctored_run_is_found_out(
    code: str, doctor: Callable[[Path], None], said: str, copied: Path, small: Path
) -> None:
    doctor(copied)
    if code != "UD204":  # a run that was made so
        accept(copied)
    found = RunChecks(open_run(copied), small / "data" / "train-metadata.csv").answer(BY_CODE[code])
    assert found.status == "found", found.measured
    assert said in found.measured


def test_a_measurement_in_another_unit_is_found_out(finished: Path, small: Path, tmp_path: Path) -> None:
    metadata = pl.read_csv(small / "data" / "train-metadata.csv", infer_schema=False)
    wider = metadata.with_columns(tbp_lv_deltaL=(pl.col("tbp_lv_deltaL").cast(pl.Float64) * 10).cast(pl.String))
    wider.write_csv(tmp_path / "new.csv")
    found = RunChecks(open_run(finished), tmp_path / "new.csv").answer(BY_CODE["UD214"])
    assert found.status == "found"
    assert "tbp_lv_deltaL" in found.values["features"]
    assert "tbp_lv_A" not in found.values["features"]


@pytest.mark.parametrize("code", sorted(set(BY_CODE) - {"UD207", "UD208", "UD210", "UD212", "UD216", "UD217"}))
def test_a_sound_run_is_clear(code: str, sound: dict[str, Finding]) -> None:
    assert sound[code].status == "clear", sound[code].measured


def test_a_score_that_is_as_good_without_small_lesions_does_not_rest_on_them(copied: Path) -> None:
    """The run's own does: a third of the cohort's lesions under 2.5 mm are malignant, since somebody tagged them."""
    _oof(copied, blend=pl.col("target").cast(pl.Float64))
    found = RunChecks(open_run(copied)).answer(BY_CODE["UD207"])
    assert found.status == "clear", found.measured


def test_a_blend_that_ranks_well_is_better_than_the_baseline(copied: Path) -> None:
    _rank_well(copied)
    assert RunChecks(open_run(copied)).answer(BY_CODE["UD208"]).status == "clear"


def test_every_code_is_answered_in_order(sound: dict[str, Finding]) -> None:
    assert list(sound) == list(BY_CODE) == sorted(BY_CODE)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("UD210", "one seed"),
        ("UD212", "10 patients or more"),
        ("UD214", "--metadata"),
        ("UD215", "--metadata"),
        ("UD216", "no images"),
        ("UD217", "no images"),
    ],
)
def test_what_does_not_apply_says_why(code: str, reason: str, finished: Path) -> None:
    found = RunChecks(open_run(finished)).answer(BY_CODE[code])
    assert found.status == "not applicable"
    assert reason in found.measured


def test_what_damage_keeps_from_being_measured_is_not_called_clear(copied: Path) -> None:
    (copied / "oof.parquet").write_bytes(b"PAR1")
    answers = [RunChecks(open_run(copied)).answer(BY_CODE[code]) for code in ("UD203", "UD204", "UD208", "UD209")]
    assert [one.status for one in answers] == ["not applicable", "found", "not applicable", "not applicable"]


def test_a_run_that_has_only_begun_has_little_to_check(small: Path, tmp_path: Path, command: Command) -> None:
    command("run", small / "quick.toml", "--out", tmp_path / "run", "--until", "folds")
    answers = {one.code: one.status for one in RunChecks(open_run(tmp_path / "run")).findings()}
    clear = {code for code, status in answers.items() if status == "clear"}
    assert clear == {"UD201", "UD204"}
    assert {status for code, status in answers.items() if code not in clear} == {"not applicable"}


def test_the_command_checks_a_run_and_keeps_the_answers(copied: Path, command: Command) -> None:
    report = json.loads(command("check", copied, "--json").stdout)
    assert report["ok"]
    assert [one["code"] for one in report["findings"]] == list(BY_CODE)
    stored = read_json(copied / "findings.json")
    recorded = read_json(copied / "manifest.json")["stages"]["scores"]["outputs"]["oof.parquet"]
    assert stored.pop("made_from")["oof.parquet"] == recorded
    assert report == stored


def test_an_error_ends_with_2_and_one_line(copied: Path, command: Command) -> None:
    _change_a_model(copied)
    done = command("check", copied, check=False)
    assert done.returncode == 2
    assert "UD204" in done.stdout
    assert "1 error found. UD204: 0 missing, 1 changed of" in done.stderr
    assert done.stderr.count("\n") == 1


def test_new_lesions_go_with_a_run_only(small: Path, command: Command) -> None:
    table = small / "data" / "train-metadata.csv"
    done = command("check", table, "--metadata", table, check=False)
    assert done.returncode == 2
    assert "--metadata goes with a run" in done.stderr


def test_the_documented_codes_are_these() -> None:
    text = (Path(__file__).parents[2] / "docs" / "checks.md").read_text("utf-8")
    assert checks_table(RUN_CHECKS) in text, "run `python -m ensemble.run_checks.tables docs/checks.md`"
    assert fill(text) == text
