"""An ablation of any run: groups drawn at random, learners that see a part, variants that equal one another."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from submissions.run_folder import RunFolder
from uglyduck.run.config import Config
from uglyduck.run.run import Run
from uglyduck.stages.running import run_stages
from uglyduck.studies.ablation import Request, ablate_run

#: Of the first groups each run has some; `hospital` is constant where a cohort has one, and so is a part of the others.
GROUPS = ("basic", "tbp", "site", "patient.z", "context.counts", "hospital")
LEARNERS = ("lightgbm", "xgboost", "logistic")
TREES = {"lightgbm": {"n_trees": 1}, "xgboost": {"n_trees": 1}, "logistic": {"max_iter": 2}}


def configuration(chance: random.Random, metadata: Path) -> Config:
    """Some groups, and one to three learners, one of which may see but some groups."""
    groups = tuple(chance.sample(GROUPS, chance.randint(1, 4)))
    learners = tuple(chance.sample(LEARNERS, chance.randint(1, 2)))
    members = {}
    if chance.random() < 0.6:
        seen = chance.sample(groups, chance.randint(1, len(groups)))
        members = {"part": {"learner": "logistic", "groups": seen, "parameters": {"max_iter": 2}}}
        learners = ("part",) if chance.random() < 0.5 else (*learners, "part")
    return Config.model_validate(
        {
            "data": {"metadata": metadata},
            "folds": {"n_folds": 2},
            "features": {"groups": groups},
            "ensemble": {
                "learners": learners,
                "members": members,
                "blend": chance.choice(["mean", "greedy", "stack"]),
                "parameters": {name: TREES[name] for name in learners if name in TREES},
            },
            "metrics": {"replicates": 100},
        }
    )


def request(chance: random.Random, groups: tuple[str, ...], number: int) -> Request:
    def some() -> tuple[str, ...] | None:
        return None if chance.random() < 0.5 else tuple(chance.sample(groups, chance.randint(1, len(groups))))

    if chance.random() < 0.2:
        return Request(preset="organisers", name=str(number))
    return Request(
        groups=some(),
        base=some() or tuple(group for group in ("basic", "tbp") if group in groups),
        pairs=chance.random() < 0.6,
        leave_out=chance.random() < 0.3,
        quick=chance.random() < 0.3,
        name=str(number),
    )


@pytest.mark.parametrize("seed", range(4))
def test_it_ends_with_a_row_for_whatever_can_be_tried(seed: int, small: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    run = Run(configuration(chance, small / "data" / "train-metadata.csv"), RunFolder(tmp_path / "run"))
    run_stages(run, until="features")
    for number in range(3):
        report = ablate_run(run, request(chance, run.config.features.groups, number))
        names = {row["name"] for row in report["rows"]} | {report["baseline"]["name"]}
        assert all(row["against"] in names for row in report["rows"])
        assert all(0 <= row["pauc"]["low"] <= row["pauc"]["high"] <= 0.2 for row in report["rows"])
        assert not names & {row["name"] for row in report["not_applicable"]}
