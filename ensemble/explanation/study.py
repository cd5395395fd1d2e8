"""Explains a cohort block by block, so that memory does not grow with the number of lesions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ensemble.explanation.blended import Panel, explain, feature_names
from ensemble.explanation.chain import Blending, Floats
from ensemble.explanation.details import details, sorted_by_suspicion
from ensemble.explanation.selection import Ints, Selection
from ensemble.explanation.shares import Shares
from ensemble.matrix import Matrix
from ensemble.model_store import ModelStore
from ensemble.out_of_fold import Plan

_BLOCK = 2_048
"""Lesions explained at a time, more where one patient has more."""


@dataclass(frozen=True)
class Lesions:
    """The lesions to explain.

    Attributes:
        frame: `isic_id` and `patient_id` of the chosen rows, in the order of `selection.rows`.
        matrix: Their features, in the same order.
        score: Their blended scores; shape (chosen,).
        selection: How they were chosen.
    """

    frame: pl.DataFrame
    matrix: Matrix
    score: Floats
    selection: Selection

    def part(self, rows: Ints) -> Lesions:
        """The lesions at these positions among the chosen."""
        whole = self.selection
        chosen = Selection(whole.rows[rows], whole.patient[rows], whole.shown[rows], whole.weight[rows])
        return Lesions(self.frame[rows], self.matrix.rows(rows), self.score[rows], chosen)


@dataclass(frozen=True)
class Sitting:
    """Lesions that the same models explain.

    Attributes:
        rows: Positions among the chosen lesions, ascending, whole patients.
        panel: The models.
    """

    rows: Ints
    panel: Panel


def out_of_fold(plan: Plan, store: ModelStore, rows: Ints, *, learners: Sequence[str]) -> list[Sitting]:
    """Who explains the rows of a training cohort: of each repeat the models that did not train on the row's fold.

    Args:
        plan: What was trained.
        store: The models.
        rows: Chosen rows of the cohort, ascending.
        learners: Those that are blended; the plan may train others beside them.
    """
    folds = np.stack([assignment[rows] for assignment in plan.assignments], axis=1)
    models = {slot: store.load(slot) for slot in plan.slots() if slot.learner in learners}
    return [
        Sitting(
            np.flatnonzero((folds == mine).all(axis=1)),
            {
                name: [
                    model for slot, model in models.items() if slot.learner == name and mine[slot.repeat] == slot.fold
                ]
                for name in learners
            },
        )
        for mine in np.unique(folds, axis=0)
    ]


def new_lesions(panel: Panel, count: int) -> list[Sitting]:
    """Who explains new lesions: every model."""
    return [Sitting(np.arange(count), panel)]


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes:
        shares: Ready for JSON: `groups`, `features` and `learners` with their shares of the blend, `base` (the mean
            blended score before anything is known of a lesion) and `largest_gap` (the most by which base and
            contributions together miss a lesion's score).
        lesions: The features that raise each shown lesion, columns as `ensemble.explanation.details.SCHEMA`.
    """

    shares: dict[str, Any]
    lesions: pl.DataFrame


def study(
    lesions: Lesions,
    sittings: Sequence[Sitting],
    blend: Blending,
    group_of: Mapping[str, str],
    *,
    features: int,
    threads: int,
    progress: Callable[[], None] = lambda: None,
) -> Study:
    """Explain the chosen lesions.

    Args:
        lesions: The lesions.
        sittings: Who explains which of them; together all of them, each once.
        blend: Joins the learners' scores.
        group_of: The group of each feature.
        features: Features to list for a lesion, at most.
        threads: CPU threads; changes no bit.
        progress: Called after each block (see `count_blocks`).
    """
    names = tuple(dict.fromkeys(name for sitting in sittings for name in feature_names(sitting.panel)))
    gathered = _Gathered(names, group_of, features)
    for sitting in sittings:
        for rows in _blocks(lesions, sitting.rows):
            gathered.add(lesions.part(rows), sitting.panel, blend, threads)
            progress()
    return gathered.study()


def count_blocks(lesions: Lesions, sittings: Sequence[Sitting]) -> int:
    """How many blocks `study` goes through."""
    return sum(1 for sitting in sittings for _ in _blocks(lesions, sitting.rows))


def _blocks(lesions: Lesions, rows: Ints) -> Iterator[Ints]:
    """Cut rows into blocks of whole patients."""
    patient = lesions.selection.patient[rows]
    begin = 0
    for end in [*(np.flatnonzero(patient[1:] != patient[:-1]) + 1).tolist(), len(rows)]:
        if end - begin >= _BLOCK or end == len(rows):
            yield rows[begin:end]
            begin = end


class _Gathered:
    """What the blocks add up to."""

    def __init__(self, names: tuple[str, ...], group_of: Mapping[str, str], features: int) -> None:
        self._names, self._group_of, self._features = names, group_of, features
        self._everywhere, self._shown = Shares(names, group_of), Shares(names, group_of)
        self._found: list[pl.DataFrame] = []
        self._base = self._weight = self._gap = 0.0

    def add(self, block: Lesions, panel: Panel, blend: Blending, threads: int) -> None:
        patient, weight, shown = block.selection.patient, block.selection.weight, block.selection.shown
        reference = weight > 0
        explained = explain(
            panel, blend, block.matrix, patient=patient, reference=reference, names=self._names, threads=threads
        )
        self._everywhere.add(explained, weight)
        self._shown.add(explained, shown.astype(np.float64))
        missed = explained.base + explained.blended.sum(axis=1) - block.score
        self._gap = max(self._gap, float(np.abs(missed).max()))
        self._base += float((explained.base * weight).sum())
        self._weight += float(weight.sum())
        self._found.append(
            details(
                explained,
                block.matrix,
                block.frame,
                patient=patient,
                reference=reference,
                shown=shown,
                group_of=self._group_of,
                features=self._features,
            )
        )

    def study(self) -> Study:
        groups, among_shown = self._everywhere.of_groups(), self._shown.of_groups()
        listed: list[dict[str, Any]] = [
            {
                "group": group,
                "share": shares.pop("blend"),
                "share_shown": among_shown[group]["blend"],
                "features": sum(self._group_of[name] == group for name in self._names),
                "by_learner": shares,
            }
            for group, shares in groups.items()
        ]
        shares = {
            "groups": sorted(listed, key=lambda row: -row["share"]),
            "features": self._everywhere.of_features(),
            "learners": self._everywhere.of_learners(),
            "base": self._base / self._weight,
            "largest_gap": self._gap,
        }
        return Study(shares, sorted_by_suspicion(pl.concat(self._found)))
