"""A light classifier on a backbone's features, standardised and reduced; the best of a few on the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import stats
from sklearn.linear_model import LogisticRegression

from cohort.frames import ID
from cv_folds.folds import make_folds
from cv_folds.metrics import partial_auc
from engine.errors import InputError
from image_embeddings.descriptors.kernel import TILE, Kernel, in_blocks, padded
from image_embeddings.joined_store import scored
from image_embeddings.sampling import sampled

Doubles = NDArray[np.float64]
# What the inner folds choose from: inverse penalties of a logistic regression, and widths of a Gaussian kernel (divided
# by the number of columns).
PENALTIES = (0.0003, 0.003, 0.03)
GAMMAS = (0.1, 0.3)
INNER_FOLDS = 3
# At most this many benign rows for each malignant one: a kernel machine's time grows with their square.
BENIGN_RATIO = 20


@dataclass(frozen=True)
class Reduction:
    """Standardised columns; the first ones, the features, are replaced by their leading principal components.

    Attributes:
        mean: (columns,) means of the training rows.
        scale: (columns,) their standard deviation; 1 for a constant.
        axes: (features, components) zero-padded to whole tiles of components, each of which has a variance of 1.
        components: () number of components kept.
    """

    mean: Doubles
    scale: Doubles
    axes: Doubles
    components: NDArray[np.int64]

    @classmethod
    def fit(cls, values: Doubles, features: int, components: int) -> Reduction:
        """Fit on (rows, columns) finite values; each axis points so that its largest entry is positive."""
        mean, scale = values.mean(0), values.std(0)
        scale = np.where(scale > 0, scale, 1.0)
        standard = ((values - mean) / scale)[:, :features]
        _, spread, axes = np.linalg.svd(standard, full_matrices=False)
        kept = min(components, int((spread > 1e-6 * spread[0]).sum()))
        axes = axes[:kept].T * (np.sqrt(len(values)) / spread[:kept])
        axes = axes * np.sign(axes[np.abs(axes).argmax(0), np.arange(kept)])
        return cls(mean, scale, padded(axes.T, TILE).T.copy(), np.array(kept))

    def __call__(self, values: Doubles) -> Doubles:
        """(rows, components and other columns); a row's values are the same to the last bit, alone or in any batch."""
        features, kept = len(self.axes), int(self.components)
        whole = (values - self.mean) / self.scale
        return np.hstack(
            [in_blocks(lambda block: block @ self.axes, whole[:, :features])[:, :kept], whole[:, features:]]
        )


@dataclass(frozen=True)
class HeadSettings:
    """Settings that the inner folds do not choose.

    Attributes:
        features: Number of leading columns that are a backbone's features; the others are kept as they are.
        components: Principal components kept of the features.
        seed: Seed of the inner folds and the sample of benign rows.
    """

    features: int
    components: int
    seed: int


@dataclass(frozen=True)
class Head:
    """A fitted head: either a linear or a kernel classifier; the other is empty.

    Attributes:
        weight: (components,) of the logistic regression; of length 0 if the kernel machine was chosen.
        intercept: () of the logistic regression.
        inner_pauc: () pAUC of the chosen classifier over the inner folds; NaN if there were none.
        reduction: Reduction fitted on the same rows.
        kernel: The kernel machine; without support vectors if the logistic regression was chosen.
    """

    weight: Doubles
    intercept: Doubles
    inner_pauc: Doubles
    reduction: Reduction
    kernel: Kernel

    @classmethod
    def fit(
        cls, values: NDArray[np.floating[Any]], frame: pl.DataFrame, target: NDArray[np.int8], settings: HeadSettings
    ) -> Head:
        """Choose by the pAUC over inner folds of whole patients, then fit on all rows.

        Args:
            values: (rows, columns) features and perhaps descriptors; rows with NaN are left out, as are benign ones
                beyond `BENIGN_RATIO` for each malignant one.
            frame: isic_id, patient_id and, if duplicates are kept together, group; row by row. Lesions marked is_extra,
                which are never scored, are learnt from, but the choice is not measured on them.
            target: (rows,) 1 malignant, 0 benign.
            settings: The fixed settings.

        Raises:
            InputError: No malignant or no benign row is finite.
        """
        rows = _sample(values, target, settings.seed)
        own, target, frame = values[rows].astype(np.float64), target[rows], frame[rows.tolist()]
        chosen, pauc = _choose(own, target, _inner_folds(frame, target, settings.seed), settings)
        return _fit(chosen, Reduction.fit(own, settings.features, settings.components), own, target, pauc)

    def log_odds(self, values: NDArray[np.floating[Any]]) -> Doubles:
        """(rows,) score; higher is more suspicious; NaN if a feature is NaN."""
        readable = np.isfinite(values).all(1)
        score = np.full(len(values), np.nan)
        if readable.any():
            reduced = self.reduction(values[readable])
            score[readable] = self._linear(reduced) if len(self.weight) else self.kernel.decision(reduced)
        return score

    def _linear(self, reduced: Doubles) -> Doubles:
        return in_blocks(lambda block: block.sum(1), reduced * self.weight) + self.intercept


Candidate = tuple[str, float]
CANDIDATES: tuple[Candidate, ...] = (
    *(("linear", penalty) for penalty in PENALTIES),
    *(("kernel", gamma) for gamma in GAMMAS),
)
# Used if there are too few patients to choose.
_PLAIN: Candidate = ("linear", 0.003)


def _sample(values: NDArray[np.floating[Any]], target: NDArray[np.int8], seed: int) -> NDArray[np.int64]:
    """Finite rows, in order: every malignant one, and at most `BENIGN_RATIO` benign ones for each."""
    finite = np.isfinite(values).all(1)
    for label, kind in ((1, "malignant"), (0, "benign")):
        if not (finite & (target == label)).any():
            raise InputError(
                f"no {kind} lesion has a crop that can be read", where="images", remedy="give crops of both kinds"
            )
    return sampled(finite, target, ratio=BENIGN_RATIO, seed=seed)


def _inner_folds(frame: pl.DataFrame, target: NDArray[np.int8], seed: int) -> NDArray[np.int8] | None:
    """(rows,) inner fold, -1 for extra lesions; None if there are too few patients of a class."""
    keys = [ID, "patient_id", *(["group"] if "group" in frame.columns else [])]
    rows = scored(frame.with_columns(target=pl.Series(target))).select(*keys, "target")
    try:
        folds = make_folds(rows, n_folds=INNER_FOLDS, seed=seed).frame
    except InputError:
        return None
    found = frame.select(ID).join(folds, on=ID, how="left", maintain_order="left")["fold"]
    return found.fill_null(-1).to_numpy()


def _choose(
    values: Doubles, target: NDArray[np.int8], fold: NDArray[np.int8] | None, settings: HeadSettings
) -> tuple[Candidate, float]:
    """The candidate with the best pAUC over the inner folds, each fold's scores as ranks, and that pAUC."""
    if fold is None:
        return _PLAIN, np.nan
    ranks: dict[Candidate, Doubles] = {candidate: np.full(len(values), np.nan) for candidate in CANDIDATES}
    own = fold >= 0
    for place in np.unique(fold[own]):
        held, rows = fold == place, np.flatnonzero(fold != place)
        reduction = Reduction.fit(values[rows], settings.features, settings.components)
        for candidate, rank in ranks.items():
            head = _fit(candidate, reduction, values[rows], target[rows], np.nan)
            rank[held] = stats.rankdata(head.log_odds(values[held])) / held.sum()
    found = {candidate: float(partial_auc(target[own], rank[own])) for candidate, rank in ranks.items()}
    best = max(found, key=lambda candidate: found[candidate])
    return best, found[best]


def _fit(candidate: Candidate, reduction: Reduction, values: Doubles, target: NDArray[np.int8], pauc: float) -> Head:
    kind, setting = candidate
    reduced = reduction(values)
    if kind == "kernel":
        kernel = Kernel.fit(reduced, target, gamma=setting)
        return Head(np.empty(0), np.array(0.0), np.array(pauc), reduction, kernel)
    fitted = LogisticRegression(C=setting, class_weight="balanced", max_iter=2000).fit(reduced, target)
    weight, intercept = np.asarray(fitted.coef_[0]), np.asarray(fitted.intercept_[0])
    return Head(weight, intercept, np.array(pauc), reduction, Kernel.empty(reduced.shape[1]))
