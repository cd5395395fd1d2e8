"""Out-of-fold scores of every variant: the same folds, seeds and drawn rows, but different features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from ensemble.ablation.variants import Variant
from ensemble.jobs import Job, JobRunner, Table
from ensemble.model_store import Slot
from ensemble.out_of_fold import Plan, Scores, gather, plan_jobs


def score_variants(
    plan: Plan, variants: Sequence[Variant], table: Table, runner: JobRunner
) -> dict[str, dict[str, Scores]]:
    """Score every variant out of fold; all their jobs are run together, and none twice.

    Args:
        plan: What the variants share: learners, folds, seeds and sampling, and what each learner may see.
        variants: Sets of features.
        table: Every feature of every lesion.
        runner: Runs the jobs.

    Returns:
        By variant and learner, the mean over seeds (and repeats) of out-of-fold scores, each of shape (rows,). A
        variant lacks the learners that may see none of its features.
    """
    whole = plan_jobs(plan, table)
    jobs = {variant.name: _narrowed(whole, variant) for variant in variants}
    listed = [job for own in jobs.values() for job in own.values()]
    outcomes = iter(runner.run(listed, table, title="ablation"))
    return {name: gather(plan, own, islice(outcomes, len(own)), len(table.target)) for name, own in jobs.items()}


def _narrowed(jobs: Mapping[Slot, Job], variant: Variant) -> dict[Slot, Job]:
    """The jobs with their columns narrowed to a variant's features; jobs that would see nothing are left out."""
    wanted = set(variant.features)
    seen = {slot: tuple(name for name in job.columns if name in wanted) for slot, job in jobs.items()}
    return {slot: replace(jobs[slot], columns=columns) for slot, columns in seen.items() if columns}
