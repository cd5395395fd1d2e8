"""What `import uglyduck` offers: runs, scores, studies and simulated cohorts from Python, mostly as frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

import cohort.simulator
from cv_folds.scoring import DEFAULT_METRICS, summarise
from engine.console import showing_progress, start_logging
from uglyduck.run.run import Run, figures, open_run
from uglyduck.stages.running import filling, run_stages
from uglyduck.studies.ablation import PICTURE, TABLE, Request, ablate_run
from uglyduck.studies.new_lesions import NewTable


def make_run(config: str | Path, out: str | Path | None = None) -> Run:
    """Run every stage whose inputs, settings or code have changed; like `uglyduck run`.

    Args:
        config: TOML configuration, see docs/configuration.md.
        out: Run folder; by default runs/NAME next to the configuration.

    Raises:
        InputError: The configuration, the tables or the crops are wrong.
    """
    start_logging()
    with showing_progress(), filling(Path(config), Path(out) if out else None) as run:
        run_stages(run)
    return run


def load_run(folder: str | Path) -> Run:
    """A finished run: its `scores`, `metrics` and `features`, and `fitted()`, which scores new lesions.

    Raises:
        InputError: The folder holds no run.
    """
    return open_run(Path(folder))


def read_lesions(run: Run, metadata: str | Path) -> pl.DataFrame:
    """New lesions in canonical form, as `FittedRun.score` takes them; read as the run's own table was.

    Args:
        run: The run that is to score them.
        metadata: Their table, with or without labels; see docs/data.md.

    Raises:
        InputError: The table cannot be read.
    """
    return NewTable(Path(metadata)).read(run).frame


def simulate(
    lesions: int = 20_000,
    *,
    seed: int = 0,
    malignant: int | None = None,
    out: str | Path | None = None,
    test_lesions: int | None = None,
    images: bool = False,
) -> cohort.simulator.Simulated:
    """A cohort shaped like SLICE-3D whose probabilities of malignancy are known: `metadata` and `truth`.

    Args:
        lesions: Lesions of the train table.
        seed: Same seed, same lesions.
        malignant: Malignant lesions; the published share by default.
        out: Folder to write it to as well, under the official names, with a test cohort.
        test_lesions: Lesions of the test cohort that is written.
        images: Also draw the crops that are written.

    Raises:
        InputError: A number is out of range, or the folder holds a cohort or cannot be written to.
    """
    if out is None:
        return cohort.simulator.simulate(lesions, seed=seed, malignant=malignant)
    cohort.simulator.refuse_existing(Path(out), remedy="choose another folder")
    with showing_progress():
        return cohort.simulator.write_folder(
            Path(out), lesions, seed=seed, malignant=malignant, test_lesions=test_lesions, images=images
        )


def score(
    frame: pl.DataFrame,
    column: str,
    *,
    other: str | None = None,
    metrics: Sequence[str] = DEFAULT_METRICS,
    replicates: int = 10_000,
    seed: int = 0,
) -> pl.DataFrame:
    """Measure a score with patient-bootstrap intervals, and the paired difference to another.

    Args:
        frame: `target` (0 or 1), the scores and, where known, `patient_id` and `fold`.
        column: The score.
        other: A second score.
        metrics: Names from `cv_folds.metrics.METRICS`.
        replicates: Bootstrap replicates, at least 100.
        seed: Seed of the bootstrap.

    Returns:
        A row for each view and metric: `score`, `view` ("pooled", "mean over folds"), `metric`, `estimate`, `low`,
        `high`; with `other`, also for it and for the difference, named "COLUMN minus OTHER".

    Raises:
        InputError: As in `cv_folds.scoring.summarise`.
    """
    found = summarise(frame, column, other=other, metrics=metrics, replicates=replicates, seed=seed)
    parts = {column: found}
    if other is not None:
        parts |= {other: found["other"], f"{column} minus {other}": found["difference"]}
    return figures(parts)


@dataclass(frozen=True)
class Ablation:
    """Which feature groups are worth their place.

    Attributes:
        table: A row for each variant: what it is compared with, its pAUC, and the difference with its interval.
        figure: The same as an SVG, which a notebook shows.
        report: Everything that `ablation.json` holds.
    """

    table: pl.DataFrame
    figure: str
    report: dict[str, Any]

    def _repr_svg_(self) -> str:
        return self.figure


def ablate(
    run: Run,
    *,
    groups: Sequence[str] | None = None,
    leave_out: bool = False,
    quick: bool = False,
    repeats: int = 1,
    name: str | None = None,
) -> Ablation:
    """Leave feature groups out, use them alone, add them to a base; like `uglyduck ablate`.

    Args:
        run: A finished run.
        groups: Groups or parts to try ("patient.z"); all groups by default.
        leave_out: Only leave groups out.
        quick: Cheaper models for every variant.
        repeats: How often to train in all, each time with other folds and seeds, which the intervals then include.
        name: Folder under RUN/ablation.

    Raises:
        InputError: A group or learner is unknown, or the run is not finished.
    """
    some = None if groups is None else tuple(groups)
    asked = Request(groups=some, leave_out=leave_out, quick=quick, name=name, repeats=repeats)
    with showing_progress(), run.folder.locked():
        report = ablate_run(run, asked)
    folder = asked.folder(run)
    return Ablation(pl.read_csv(folder / TABLE), (folder / PICTURE).read_text("utf-8"), report)
