"""Out-of-fold scores of every variant: the same folds, seeds and drawn rows, other sets of features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ensemble.ablation.variants import Variant
from ensemble.jobs import Runner, Table
from ensemble.out_of_fold import Plan, Scores, gather, plan_jobs


def plan_of(plan: Plan, variant: Variant, table: Table) -> Plan:
    """The plan with what each learner sees narrowed to a variant; a learner that would see nothing is left out."""
    space = table.matrix.space
    seen = {
        name: space.restricted(set(plan.features.get(name, space.names)) & set(variant.features)).names
        for name in plan.learners
    }
    learners = {name: learner for name, learner in plan.learners.items() if seen[name]}
    return replace(plan, learners=learners, features={name: seen[name] for name in learners})


def score_variants(
    plan: Plan, variants: Sequence[Variant], table: Table, runner: Runner
) -> dict[str, dict[str, Scores]]:
    """Score every variant out of fold; the jobs of all of them are done together, and none twice.

    Args:
        plan: What the variants share: learners, folds, seeds and sampling, and what each learner may see at all.
        variants: Sets of features.
        table: Every feature of every lesion.
        runner: Does the jobs.

    Returns:
        By variant and learner the mean over seeds (and repeats) of out-of-fold scores, each of shape (rows,).
    """
    plans = {variant.name: plan_of(plan, variant, table) for variant in variants}
    jobs = {name: plan_jobs(own, table) for name, own in plans.items()}
    listed = [job for each in jobs.values() for job in each.values()]
    outcomes = iter(runner.run(listed, table, title="ablation"))
    return {
        name: gather(own, jobs[name], [next(outcomes) for _ in jobs[name]], len(table.target))
        for name, own in plans.items()
    }
