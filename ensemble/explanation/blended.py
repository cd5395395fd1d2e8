"""Contributions of the features to the blended score of a block of lesions; the definition is the package's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from ensemble.explanation.chain import Blending, Floats, blend_rates, probability_rate
from ensemble.explanation.selection import Flags, Ints
from ensemble.learners import Model
from ensemble.matrix import Matrix

Panel = Mapping[str, Sequence[Model]]
"""The models, by learner, that explain a lesion."""


@dataclass(frozen=True)
class Explained:
    """Contributions of a block of lesions.

    Attributes:
        names: The features, of all learners.
        by_learner: What each feature adds to the blended score through a learner; shape (rows, features) each.
        relative: What each feature adds to it beyond the patient's usual, all learners together; (rows, features).
        base: The blended score before anything is known of the lesion; shape (rows,).
        score: The blended score; shape (rows,).
    """

    names: tuple[str, ...]
    by_learner: Mapping[str, Floats]
    relative: Floats
    base: Floats
    score: Floats

    @property
    def blended(self) -> Floats:
        """All learners together; each row sums to score - base; shape (rows, features)."""
        return np.asarray(np.sum(list(self.by_learner.values()), axis=0), dtype=np.float64)


def feature_names(panel: Panel) -> tuple[str, ...]:
    """Every feature that a model of the panel knows, in the order of the models."""
    return tuple(dict.fromkeys(name for models in panel.values() for model in models for name in model.space.names))


def explain(
    panel: Panel,
    blend: Blending,
    matrix: Matrix,
    *,
    patient: Ints,
    reference: Flags,
    names: Sequence[str],
    threads: int,
) -> Explained:
    """Explain the blended scores of some lesions.

    Args:
        panel: The models.
        blend: Joins the learners' scores.
        matrix: Features of the lesions, shape (rows, features).
        patient: Patient of each row, ascending; shape (rows,).
        reference: Rows that a patient's usual is taken from, at least one a patient; shape (rows,).
        names: Features to give, in this order: at least those of the models.
        threads: CPU threads; changes no bit.
    """
    parts = {
        name: _learner(models, matrix, patient, reference, names=names, threads=threads)
        for name, models in panel.items()
        if models
    }
    scores = {name: part.score for name, part in parts.items()}
    base = {name: part.base for name, part in parts.items()}
    rates = blend_rates(blend, scores, base)
    by_learner = {name: rates[name][:, None] * part.gain for name, part in parts.items()}
    relative = np.sum([rates[name][:, None] * part.relative for name, part in parts.items()], axis=0)
    return Explained(tuple(names), by_learner, relative, blend(base), blend(scores))


@dataclass(frozen=True)
class _Part:
    """One learner, in probabilities: `gain` sums to score - base."""

    gain: Floats
    relative: Floats
    base: Floats
    score: Floats


def _learner(
    models: Sequence[Model], matrix: Matrix, patient: Ints, reference: Flags, *, names: Sequence[str], threads: int
) -> _Part:
    position = {name: at for at, name in enumerate(names)}
    gain, relative = np.zeros((2, len(matrix), len(names)))
    base, score = np.zeros((2, len(matrix)))
    for model in models:
        found = model.contributions(matrix, threads=threads)
        margin, start = found.sum(axis=1), found[:, -1]
        values = found[:, :-1]
        columns = [position[name] for name in model.space.names]
        rate = probability_rate(margin, start)[:, None] / len(models)
        gain[:, columns] += rate * values
        relative[:, columns] += rate * (values - patient_medians(values, patient, reference))
        base += expit(start) / len(models)
        score += expit(margin) / len(models)
    return _Part(gain, relative, base, score)


def patient_medians(values: Floats, patient: Ints, reference: Flags) -> Floats:
    """The median of each column over the reference rows of the row's patient.

    Args:
        values: Shape (rows, columns), finite.
        patient: Ascending; shape (rows,).
        reference: At least one row of each patient; shape (rows,).
    """
    starts = np.flatnonzero(np.append(True, patient[1:] != patient[:-1]))
    ends = np.append(starts[1:], len(patient))
    medians = [
        np.median(values[start:end][reference[start:end]], axis=0) for start, end in zip(starts, ends, strict=True)
    ]
    return np.repeat(np.array(medians), ends - starts, axis=0)
