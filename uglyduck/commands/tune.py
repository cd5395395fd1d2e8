"""`uglyduck tune`: search a learner's parameters on the run's patient folds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from uglyduck.commands.arguments import run_argument
from uglyduck.terminal.answers import answer


def tune(
    run: Annotated[Path, run_argument("A run folder with folds and features.")],
    trials: Annotated[int, typer.Option(min=1, help="Finished trials wanted in total, earlier ones included.")] = 50,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes, at most one per thread; each gets its share of the threads.")
    ] = 1,
    learner: Annotated[str, typer.Option(help="One of the run's learners.")] = "lightgbm",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the sampler.")] = 0,
    model_seeds: Annotated[int, typer.Option(min=1, help="How many of the run's seeds each trial trains.")] = 1,
    nested: Annotated[bool, typer.Option("--nested", help="Also tune again for each outer fold.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Search a learner's parameters on the run's frozen patient folds, and say what that honestly gains.

    A search that was killed resumes where it stopped. The best value of a search is measured on the folds that chose
    it, so it flatters. The honest figure chooses for each fold on the other folds; with `--nested` each outer fold also
    has a search of its own that never sees it, which multiplies the cost by the number of folds.

    Example: `uglyduck tune runs/first --trials 50 --workers 2 --learner lightgbm`
    """
    from engine.console import start_logging
    from ensemble.tuning import Effort
    from uglyduck.run.run import open_run
    from uglyduck.studies.tuning import show_tuning, tune_run

    start_logging()
    effort = Effort(trials, seed, workers)
    result = tune_run(open_run(run), learner, effort, model_seeds=model_seeds, nested=nested)
    answer(result, show_tuning, as_json=as_json)
