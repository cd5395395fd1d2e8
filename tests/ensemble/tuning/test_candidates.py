from pathlib import Path

import numpy as np
import polars as pl
import pytest

from engine.files import write_parquet
from ensemble.tuning import Problem
from ensemble.tuning.candidates import Candidate, best_of, nested_selection, read_scores


def _candidate(name: str, pauc: tuple[float, float, float], path: Path = Path()) -> Candidate:
    return Candidate(name, {}, pauc, path)


def test_the_best_of_some_folds_need_not_be_the_best_of_all() -> None:
    steady = _candidate("steady", (0.10, 0.10, 0.10))  # mean 0.10; without fold 0: 0.10
    lucky = _candidate("lucky", (0.20, 0.08, 0.08))  # mean 0.12; without fold 0: 0.08; without fold 1: 0.14
    assert best_of([steady, lucky]) is lucky
    assert best_of([steady, lucky], apart_from=0) is steady
    assert best_of([steady, lucky], apart_from=1) is lucky


def test_of_equals_the_first_is_taken_so_the_run_keeps_its_parameters() -> None:
    run, trial = _candidate("run", (0.1, 0.1, 0.1)), _candidate("trial 0", (0.1, 0.1, 0.1))
    assert best_of([run, trial]) is run


def test_each_fold_gets_the_scores_of_what_the_other_folds_chose(problem: Problem, tmp_path: Path) -> None:
    def stored(name: str, value: float, pauc: tuple[float, float, float]) -> Candidate:
        scores = problem.keys.select("isic_id", pl.lit(value, pl.Float32).alias("score"))
        write_parquet(scores.sample(fraction=1, shuffle=True, seed=1), tmp_path / name)
        return _candidate(name, pauc, tmp_path / name)

    run = stored("run", 0.25, (0.10, 0.10, 0.10))
    lucky = stored("trial 0", 0.5, (0.20, 0.08, 0.08))
    chosen, scores = nested_selection(problem, [run, lucky])
    assert [one.name for one in chosen] == ["run", "trial 0", "trial 0"]
    assert (scores == np.where(problem.fold == 0, 0.25, 0.5)).all()


def test_scores_come_back_by_id_and_not_by_place(problem: Problem, tmp_path: Path) -> None:
    values = np.arange(problem.keys.height, dtype=np.float32)
    table = problem.keys.select("isic_id").with_columns(pl.Series("score", values))
    write_parquet(table.sample(fraction=1, shuffle=True, seed=1), tmp_path / "scores.parquet")
    assert (read_scores(problem, tmp_path / "scores.parquet") == values).all()


def test_lesions_left_out_have_no_score(problem: Problem, tmp_path: Path) -> None:
    inner = problem.without(2)
    table = problem.keys.select("isic_id", pl.lit(0.5, pl.Float32).alias("score")).filter(problem.fold != 2)
    write_parquet(table, tmp_path / "scores.parquet")
    scores = read_scores(inner, tmp_path / "scores.parquet")
    assert np.isnan(scores[problem.fold == 2]).all()
    assert scores[problem.fold != 2] == pytest.approx(0.5)
