"""An ablation of a run: its variants trained and compared, and what is written about them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from cohort.lesions import write_rows
from cv_folds.metrics import PAUC
from engine.errors import InputError
from ensemble.ablation import (
    ALL,
    Design,
    compare,
    families,
    group_design,
    organisers_design,
    score_variants,
)
from ensemble.learners import CatBoost, Learner
from ensemble.out_of_fold import Plan, Scores
from uglyduck.run.run import Run
from uglyduck.studies.comparison_files import FIGURE, facts_of, metric_settings, notes_on_intervals, write_comparison
from uglyduck.studies.repetitions import blend_as_the_run, repetitions

Preset = Literal["groups", "organisers"]
STUDY, SCORES = "ablation", "scores.parquet"
TABLE, PICTURE = f"{STUDY}.csv", f"{FIGURE}.svg"
"""Some of the files that an ablation writes into its folder; see `write_comparison`."""
#: `--quick`: at most this many benign rows for each malignant one, and this many borders per number in CatBoost, whose
#: time depends on the borders more than on the rows.
QUICK_BENIGN, QUICK_BORDERS = 20.0, 32
_BASE = ("basic", "tbp", "further")


@dataclass(frozen=True)
class Request:
    """What an ablation is to do.

    Attributes:
        preset: "groups" tries each family in turn, "organisers" fills the organisers' table.
        groups: Families to try; None for all groups of the run.
        base: Families of the base that others are added to; None for those of basic and tbp that the run has.
        pairs: Also leave out each pair of families.
        leave_out: Leave families out, and nothing else.
        learners: Which of the run's learners; None for all.
        benign: Benign training rows for each malignant one; None for the run's.
        quick: Cheaper models for every variant.
        name: Folder under RUN/ablation; None for the preset's name.
        repeats: How often to train in all, each time with other folds and seeds.
    """

    preset: Preset = "groups"
    groups: tuple[str, ...] | None = None
    base: tuple[str, ...] | None = None
    pairs: bool = False
    leave_out: bool = False
    learners: tuple[str, ...] | None = None
    benign: float | None = None
    quick: bool = False
    name: str | None = None
    repeats: int = 1

    def folder(self, run: Run) -> Path:
        """The folder of the ablation.

        Raises:
            InputError: The name is not a plain folder name.
        """
        name = self.name or (f"{self.preset}-quick" if self.quick else self.preset)
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*", name):
            raise InputError(f"{name!r} is no folder name", where="--out", remedy="use letters, digits, - and _")
        return run.folder.root / "ablation" / name


def ablate_run(run: Run, request: Request) -> dict[str, Any]:
    """Train what is missing, compare, and write scores, tables and figures; see `write_comparison`.

    Args:
        run: A finished run; the caller holds the folder's lock.
        request: What to try.

    Returns:
        The content of ablation.json.

    Raises:
        InputError: The run has no features or folds yet, a group or learner is unknown, or the run's folds cannot be
            drawn anew.
    """
    folder = request.folder(run)
    run.manifest.check(run.folder.features, run.folder.dictionary)
    plan = _plan(run, request)
    design = _design(run, request, plan)
    blended = [
        {
            name: blend_as_the_run(run, found, again.fold)
            for name, found in score_variants(again.plan, design.variants, run.table, run.runner).items()
        }
        for again in repetitions(run, plan, request.repeats)
    ]
    settings, frame = run.config.metrics, run.folds.frame
    found = compare(
        design.variants,
        blended,
        target=run.target,
        patient=frame["patient_id"],
        replicates=settings.replicates,
        seed=settings.seed,
    )
    facts = {"made_from": run.state, **_facts(run, request, plan)}
    report = {
        "name": folder.name,
        "title": f"Ablation: {folder.name}",
        **facts,
        **found,
        **_remarks(run, request, design, blended[0]),
    }
    write_comparison(report, folder, STUDY)
    columns = {
        f"{name}, repetition {number}" if number else name: pl.Series(values)
        for number, one in enumerate(blended)
        for name, values in one.items()
    }
    write_rows(frame.select("isic_id").with_columns(**columns), folder / SCORES)
    return report


def _design(run: Run, request: Request, plan: Plan) -> Design:
    specs = run.specs
    seen = {name for learner in plan.learners for name in plan.features.get(learner, run.matrix.space.names)}
    every = [name for name in run.matrix.space.names if name in seen]  # what no learner may see changes nothing
    if request.preset == "organisers":
        if request.groups or request.base or request.pairs or request.leave_out:
            raise InputError(
                "the organisers' table has rows of its own",
                where="--groups, --base, --pairs, --leave-out",
                remedy="leave them out",
            )
        return organisers_design(every, specs)
    built = {spec["group"] for spec in specs}
    base = tuple(group for group in _BASE if group in built) if request.base is None else request.base
    tried = families(specs, request.groups, where="--groups")
    based = families(specs, base, where="--base")
    return group_design(every, tried, based, pairs=request.pairs, leave_out=request.leave_out)


def _plan(run: Run, request: Request) -> Plan:
    plan = run.plan
    chosen = _chosen(request.learners, list(run.learners))
    learners = {name: _quick(plan.learners[name]) if request.quick else plan.learners[name] for name in chosen}
    benign = request.benign or plan.benign_per_malignant
    return replace(
        plan,
        learners=learners,
        benign_per_malignant=min(benign, QUICK_BENIGN) if request.quick else benign,
    )


def _chosen(wanted: Iterable[str] | None, known: list[str]) -> list[str]:
    if wanted is None:
        return known
    if unknown := sorted(set(wanted) - set(known)):
        raise InputError(
            f"the run has no learner {', '.join(unknown)}",
            where="--learners",
            remedy=f"choose among {', '.join(known)}",
        )
    return [name for name in known if name in set(wanted)]


def _quick(learner: Learner) -> Learner:
    if not isinstance(learner, CatBoost):
        return learner
    return CatBoost({**learner.parameters, "border_count": QUICK_BORDERS})


def _facts(run: Run, request: Request, plan: Plan) -> dict[str, Any]:
    return {
        **facts_of(run, request.repeats),
        "settings": {
            "preset": request.preset,
            "quick": request.quick,
            "learners": {name: dict(learner.parameters) for name, learner in plan.learners.items()},
            "blend": run.config.ensemble.blend,
            "benign_per_malignant": plan.benign_per_malignant if np.isfinite(plan.benign_per_malignant) else None,
            "seeds": list(plan.seeds),
            "folds": len(np.unique(plan.assignments[0])),
            "repeats": request.repeats,
            **metric_settings(run, PAUC),
        },
    }


def _remarks(run: Run, request: Request, design: Design, blended: dict[str, Scores]) -> dict[str, Any]:
    notes = [
        "pAUC above 80 % sensitivity of all out-of-fold scores together; models and blend as in the run",
        "a difference is variant minus what it is compared with",
        *notes_on_intervals(request.repeats),
        "not distinguishable: the interval covers 0; that is no proof that a family is useless",
        "a research tool, not a diagnosis",
    ]
    if request.quick:
        notes.insert(0, "quick: every variant has fewer benign rows and coarser CatBoost models than the run")
    return {
        "baseline_is_the_run": _is_the_run(run, blended[ALL]),
        "not_applicable": [{"name": name, "why": why} for name, why in design.not_applicable.items()],
        "families": {name: len(features) for name, features in design.families.items()},
        "notes": notes,
    }


def _is_the_run(run: Run, baseline: Scores) -> bool | None:
    """Whether the variant with all features scores as the run does, bit for bit; None if the run has no scores."""
    if not run.folder.oof.is_file():
        return None
    own = run.read_rows(run.folder.oof, columns=["blend"])
    return bool(np.array_equal(own["blend"].to_numpy(), baseline))
