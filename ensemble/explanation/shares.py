"""How far each group of features moves the log odds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ensemble.explanation.contributions import Explained
from ensemble.explanation.selection import Floats


class Shares:
    """Sums over lesions of how far each group and each feature moves the weighted log odds.

    A group moves a lesion by the absolute sum of its features' contributions, so that features that cancel out within
    a group do not make it look important. Its share is the sum of its moves divided by that of all groups.

    Args:
        names: The features.
        group_of: The group of each feature.
    """

    def __init__(self, names: Sequence[str], group_of: Mapping[str, str]) -> None:
        self._names = tuple(names)
        self._group_of = group_of
        self._order = sorted(range(len(names)), key=lambda at: group_of[names[at]])
        sorted_groups = [group_of[names[at]] for at in self._order]
        self.groups = sorted(set(sorted_groups))
        self._starts = [sorted_groups.index(group) for group in self.groups]
        self._by_group: dict[str, Floats] = {}
        self._by_feature = np.zeros(len(names))

    def add(self, explained: Explained, weight: Floats) -> None:
        """Add lesions, each `weight` times; shape (rows,)."""
        for learner, contributions in explained.by_learner.items():
            self._add_groups(learner, contributions, weight)
        self._add_groups("blend", explained.blended, weight)
        self._by_feature += (weight[:, None] * np.abs(explained.blended)).sum(axis=0)

    def _add_groups(self, who: str, contributions: Floats, weight: Floats) -> None:
        moves = np.abs(np.add.reduceat(contributions[:, self._order], self._starts, axis=1))
        self._by_group[who] = self._by_group.get(who, np.zeros(len(self.groups))) + (weight[:, None] * moves).sum(
            axis=0
        )

    def of_groups(self) -> dict[str, dict[str, float]]:
        """By group, its share in the blend (key `blend`) and in each learner; each sums to 1 over groups."""
        shares = {who: _normalised(moves) for who, moves in self._by_group.items()}
        return {
            group: {who: float(values[at]) for who, values in shares.items()} for at, group in enumerate(self.groups)
        }

    def sizes(self) -> dict[str, int]:
        """Number of features of each group."""
        return dict(Counter(self._group_of[name] for name in self._names))

    def of_features(self) -> list[dict[str, Any]]:
        """Feature, group and share in the blend, largest first; shares sum to 1 over features."""
        shares = _normalised(self._by_feature)
        return [
            {"feature": self._names[at], "group": self._group_of[self._names[at]], "share": float(shares[at])}
            for at in np.argsort(-shares, kind="stable")
        ]


def _normalised(moves: Floats) -> Floats:
    """Shares that sum to 1; all 0 if no model has learned anything."""
    total = float(moves.sum())
    return moves / total if total > 0 else moves
