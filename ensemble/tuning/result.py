"""What tuning found, in numbers: the best parameters, those at the edge of their range, and an honest gain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cv_folds.bootstrap import Replicates, replicate
from cv_folds.scoring import MEAN
from ensemble.jobs import JobRunner
from ensemble.tuning.candidates import Candidate, best_of, list_candidates, nested_selection
from ensemble.tuning.problem import Problem, Scores
from ensemble.tuning.study import Tally, open_study


def tuned(
    problem: Problem,
    folder: Path,
    runner: JobRunner,
    *,
    nested: tuple[list[Candidate], Scores] | None = None,
    replicates: int = 10_000,
    seed: int = 0,
) -> dict[str, Any]:
    """Summarise a finished search.

    All figures are the mean pAUC over folds, since parameters differ between folds, and so do score scales.

    Args:
        problem: What was tuned on what.
        folder: Where the study lies.
        runner: Holds the result store.
        nested: What `tune_by_fold` returned; if None, nested selection among the study's trials.
        replicates: Replicates of the patient bootstrap.
        seed: Seed of the patient bootstrap.

    Returns:
        Ready for JSON: `trials`; `run` (the run's own parameters), `best` (chosen and measured on the same folds, so
        optimistic) and `honest` (chosen without the fold it is measured on), each with `pauc`, the last two with the
        paired `difference` from the run's; `edges`: best parameters that lie at an end of their search range.
    """
    candidates = list_candidates(problem, folder, runner)
    run, best = candidates[0], best_of(candidates)
    chosen, honest = nested or nested_selection(problem, candidates, runner)
    scores = {"run": run.scores(problem, runner), "best": best.scores(problem, runner), "honest": honest}
    drawn = _draw(problem, scores, replicates, seed)
    tally = Tally.of(open_study(folder, problem))
    return {
        "learner": problem.learner,
        "metric": "pAUC, mean over folds",
        "trials": {"complete": tally.complete, "pruned": tally.pruned, "failed": tally.failed},
        "run": {"parameters": dict(problem.current.parameters), "by_fold": list(run.pauc)} | _figures(drawn, "run"),
        "best": {"name": best.name, "parameters": dict(best.chosen), "by_fold": list(best.pauc)}
        | _figures(drawn, "best"),
        "honest": {"estimate": "nested" if nested else "nested selection"}
        | {"chosen": [{"fold": fold, "name": one.name} for fold, one in zip(problem.folds, chosen, strict=True)]}
        | _figures(drawn, "honest"),
        "edges": edges(problem, best),
    }


def _draw(problem: Problem, scores: Mapping[str, Scores], replicates: int, seed: int) -> Replicates:
    views = {f"fold {fold}": problem.fold == fold for fold in problem.folds}
    return replicate(
        problem.table.target,
        scores,
        patient=problem.patient,
        views=views,
        means={MEAN: list(views)},
        replicates=replicates,
        seed=seed,
    )


def _figures(drawn: Replicates, score: str) -> dict[str, Any]:
    figures = {"pauc": drawn.interval(MEAN, "pauc", score).as_dict()}
    if score != "run":
        figures["difference"] = drawn.difference(MEAN, "pauc", score, "run").as_dict()
    return figures


def edges(problem: Problem, best: Candidate) -> list[dict[str, Any]]:
    """Parameters whose best value lies at an end of the search range."""
    return [
        {"name": each.name, "value": best.chosen[each.name], "end": end, "low": each.low, "high": each.high}
        for each in problem.space
        if each.name in best.chosen and (end := each.edge(best.chosen[each.name]))
    ]
