"""Explains a cohort block by block, so that memory does not grow with the number of lesions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from scipy.stats import spearmanr

from engine.progress import steps
from ensemble.explanation.contributions import Explainer, explain, feature_names
from ensemble.explanation.details import details, sorted_by_suspicion
from ensemble.explanation.lesions import ChosenLesions
from ensemble.explanation.selection import Floats, Ints
from ensemble.explanation.shares import Shares

_BLOCK = 2_048
"""Lesions explained at a time; more if one patient has more."""


@dataclass(frozen=True)
class Study:
    """What was found.

    Attributes:
        shares: Ready for JSON: `groups` and `features` with their shares, `base` (the mean log odds before anything is
            known about a lesion) and `rank_correlation` (Spearman's, between explained log odds and blended scores).
        lesions: The features that raise each shown lesion, columns as `ensemble.explanation.details.SCHEMA`.
    """

    shares: dict[str, Any]
    lesions: pl.DataFrame


def study(
    lesions: ChosenLesions,
    explainers: Sequence[Explainer],
    group_of: Mapping[str, str],
    *,
    features: int,
    threads: int,
) -> Study:
    """Explain the chosen lesions.

    Args:
        lesions: The lesions.
        explainers: The models, each with the lesions they explain; every lesion belongs to exactly one.
        group_of: The group of each feature.
        features: Most features to list for a lesion.
        threads: CPU threads; the result does not depend on it.
    """
    names = feature_names(explainers)
    everywhere, shown = Shares(names, group_of), Shares(names, group_of)
    base, log_odds = np.empty((2, len(lesions.score)))
    found: list[pl.DataFrame] = []
    parts = blocks(lesions, explainers)
    step = steps("explaining", len(parts))
    for rows in parts:
        block = lesions.part(rows)
        explained = explain(
            [explainer.within(rows) for explainer in explainers], block.matrix, names=names, threads=threads
        )
        everywhere.add(explained, block.selection.weight)
        shown.add(explained, block.selection.shown.astype(np.float64))
        base[rows], log_odds[rows] = explained.base, explained.log_odds
        found.append(details(explained, block, group_of, features=features))
        step()
    weight = lesions.selection.weight
    shares = {
        "groups": _groups(everywhere, shown),
        "features": everywhere.of_features(),
        "base": float(np.average(base, weights=weight)),
        "rank_correlation": _rank_correlation(log_odds[weight > 0], lesions.score[weight > 0]),
    }
    return Study(shares, sorted_by_suspicion(pl.concat(found)))


def blocks(lesions: ChosenLesions, explainers: Sequence[Explainer]) -> list[Ints]:
    """Cut the lesions into blocks of whole patients.

    Patients with the same explainers come together, so that each block needs few models.
    """
    explainer_of = np.empty(len(lesions.score), dtype=np.intp)
    for at, explainer in enumerate(explainers):
        explainer_of[explainer.rows] = at
    patients = sorted(
        lesions.patients, key=lambda rows: (explainer_of[rows].min(), explainer_of[rows].max(), rows.start)
    )
    cut: list[Ints] = []
    waiting: list[Ints] = []
    for rows in patients:
        waiting.append(np.arange(rows.start, rows.stop))
        if sum(map(len, waiting)) >= _BLOCK:
            cut.append(np.concatenate(waiting))
            waiting = []
    return [*cut, np.concatenate(waiting)] if waiting else cut


def _groups(everywhere: Shares, shown: Shares) -> list[dict[str, Any]]:
    among_shown, sizes = shown.of_groups(), everywhere.sizes()
    listed = [
        {
            "group": group,
            "share": shares["blend"],
            "share_shown": among_shown[group]["blend"],
            "features": sizes[group],
            "by_learner": {name: share for name, share in shares.items() if name != "blend"},
        }
        for group, shares in everywhere.of_groups().items()
    ]
    return sorted(listed, key=lambda row: -row["share"])


def _rank_correlation(log_odds: Floats, score: Floats) -> float | None:
    """None if all lesions have the same score or the same log odds."""
    if np.ptp(log_odds) == 0 or np.ptp(score) == 0:
        return None
    return float(spearmanr(log_odds, score).statistic)
