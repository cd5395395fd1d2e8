"""Extra-trees kept as plain arrays, so that a model file holds numbers and no code."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier

_CLIP = 1e-3


@dataclass(frozen=True)
class Forest:
    """Trees one after another; a child index counts from its own tree's root.

    Attributes:
        start: (trees + 1,) where each tree's nodes begin.
        left: (nodes,) child for values at or below the threshold; -1 at a leaf.
        right: (nodes,) the other child.
        feature: (nodes,) column to compare.
        threshold: (nodes,) float64, compared with float32 values as scikit-learn does.
        malignant: (nodes,) share of malignant training weight.
    """

    start: NDArray[np.int64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    malignant: NDArray[np.float64]

    @classmethod
    def fit(
        cls, values: NDArray[np.float32], target: NDArray[np.int8], *, trees: int, seed: int, threads: int
    ) -> Forest:
        """Grow extremely randomised trees (Geurts et al., 2006), each class with the same weight in each tree.

        Args:
            values: (lesions, descriptors) finite.
            target: (lesions,) 1 malignant, 0 benign.
            trees: Number of trees.
            seed: Seed of the splits.
            threads: Threads to use; the trees do not depend on it.
        """
        grown = ExtraTreesClassifier(
            trees,
            min_samples_leaf=3,
            max_features=0.15,
            class_weight="balanced_subsample",
            random_state=seed,
            n_jobs=threads,
        ).fit(values, target)
        trees_ = [tree.tree_ for tree in grown.estimators_]
        return cls(
            np.concatenate([[0], np.cumsum([tree.node_count for tree in trees_])]),
            np.concatenate([tree.children_left for tree in trees_]).astype(np.int32),
            np.concatenate([tree.children_right for tree in trees_]).astype(np.int32),
            np.concatenate([tree.feature for tree in trees_]).astype(np.int32),
            np.concatenate([tree.threshold for tree in trees_]),
            np.concatenate([tree.value[:, 0, 1] / tree.value[:, 0].sum(1) for tree in trees_]),
        )

    def log_odds(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """(lesions,) log-odds of the mean malignant share over the trees, clipped to 0.001 to 0.999."""
        share = np.zeros(len(values))
        rows = np.arange(len(values))
        for begin, end in zip(self.start[:-1], self.start[1:], strict=True):
            share += self._leaf_shares(slice(begin, end), values, rows)
        share = np.clip(share / (len(self.start) - 1), _CLIP, 1 - _CLIP)
        return np.log(share / (1 - share))

    def _leaf_shares(self, tree: slice, values: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float64]:
        left, right, feature = self.left[tree], self.right[tree], self.feature[tree]
        threshold = self.threshold[tree]
        node = np.zeros(len(values), np.int32)
        moving = rows if left[0] >= 0 else rows[:0]
        while len(moving):
            at = node[moving]
            low = values[moving, feature[at]] <= threshold[at]
            at = np.where(low, left[at], right[at])
            node[moving] = at
            moving = moving[left[at] >= 0]
        return self.malignant[tree][node]
