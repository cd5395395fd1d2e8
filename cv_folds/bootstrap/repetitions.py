"""From a patient bootstrap of each repetition to the sample for a recipe's interval.

A patient bootstrap holds fitted scores fixed: it says where a figure of *these* models would fall with other patients
to score. Whether a recipe is better than another is a question about all the models it might have produced, with
other training patients, folds, seeds and drawn benign lesions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cv_folds.bootstrap.intervals import BootstrapSample

#: Variance that training patients add, as a share of that of scored patients: in the manner of Nadeau and Bengio
#: (Machine Learning 52:239, 2003), whose own correction was too wide. docs/coverage.md says how it was chosen.
TRAINING = 0.5


def over_repetitions(samples: Sequence[BootstrapSample]) -> BootstrapSample:
    """The mean over repetitions, with replicates that vary as the recipe's figure does.

    Folds, seeds and drawn lesions change scores lesion by lesion, so drawing patients samples that chance too, and
    the mean over repetitions has less of it. Training patients are common to all repetitions of a cohort and show in
    none, so the replicates are stretched about the estimate by the square root of 1 + `TRAINING`.

    Args:
        samples: One per repetition, from the same draws of patients; a single one is returned as is.
    """
    if len(samples) == 1:
        return samples[0]
    estimate = float(np.mean([sample.estimate for sample in samples]))
    values = np.mean([sample.values for sample in samples], axis=0)
    return BootstrapSample(
        estimate,
        estimate + np.sqrt(1 + TRAINING) * (values - estimate),
        np.mean([sample.left_out for sample in samples], axis=0),
        samples[0].multiplicity,
        max(sample.redrawn for sample in samples),
    )
