"""The dermatologist's metric: does the shortlist of a patient hold the patient's malignant lesions?"""

from __future__ import annotations

import numpy as np

from cv_folds.metrics.inputs import Flags, Floats, Ints, same_length
from engine.errors import InputError


def expected_retrieval(malignant: Flags, score: Floats, code: Ints, *, k: int) -> tuple[Ints, Floats]:
    r"""Share of each patient's malignant lesions on a shortlist of its k highest scores (SEtop15, for k = 15).

    Top-k retrieval sensitivity is the mean over patients i with a malignant lesion, $m_i$ malignant lesions of which
    $r_{ik}$ are among the patient's k highest scores, each with the patient's weight $w_i$ (usually 1):

    $$ \mathrm{SE}_k = \frac{\sum_i w_i \, r_{ik} / m_i}{\sum_i w_i} $$

    Ties: the shortlist is completed by a fair draw among the lesions tied at its last place, and the expected value
    under that draw is returned. With $a_j$ of the patient's lesions strictly above lesion j and $t_j$ tied with it (j
    included), lesion j is on the list with probability $\mathrm{clip}((k - a_j) / t_j, 0, 1)$, and $r_{ik}$ is the sum
    of these over the malignant lesions. So the order of rows does not matter, and a constant score earns no more
    than chance.

    Range: 0 to 1. Patients with at most k lesions count 1 whatever their scores, and one with more than k malignant
    lesions cannot reach 1.

    It cannot tell how patients compare with each other, nor anything about patients without a malignant lesion.

    Source: secondary metric of the ISIC 2024 challenge (Kurtansky et al., npj Digital Medicine,
    2025, doi 10.1038/s41746-025-02070-7).

    Args:
        malignant: Shape (lesions,).
        score: Shape (lesions,), finite.
        code: Patients numbered from 0; shape (lesions,).
        k: Length of the shortlist, at least 1.

    Returns:
        The patients that have a malignant lesion, ascending, and the share in [0, 1] of each.

    Raises:
        InputError: k is below 1, or the lengths differ.
    """
    if k < 1:
        raise InputError(f"a shortlist of {k} lesions", where="k", remedy="choose k of at least 1")
    same_length(score, code, ("score", "patient"))
    carriers = np.unique(code[malignant])
    rows = np.flatnonzero(np.isin(code, carriers, kind="table"))
    rows = rows[np.lexsort((-score[rows], code[rows]))]
    chance = _chance_of_shortlist(score[rows], code[rows], k)
    hit = malignant[rows]
    position = np.searchsorted(carriers, code[rows][hit])
    return carriers, np.bincount(position, chance[hit]) / np.bincount(position)


def _chance_of_shortlist(score: Floats, code: Ints, k: int) -> Floats:
    """Chance that each row is on its patient's shortlist; rows sorted by patient, then falling score."""
    new_patient = np.append(True, code[1:] != code[:-1])
    new_tie = new_patient | np.append(True, score[1:] != score[:-1])
    tie_start = np.flatnonzero(new_tie)
    tie_size = np.diff(np.append(tie_start, score.size))
    patient_start = np.flatnonzero(new_patient)[np.cumsum(new_patient)[tie_start] - 1]
    chance = np.clip((k - (tie_start - patient_start)) / tie_size, 0, 1)
    return np.repeat(chance, tie_size)
