"""Where values stand among others."""

from __future__ import annotations

import numpy as np

from cohort.simulator.calibration import Array, Index


def share_below(value: Array, others: Array) -> Array:
    """Share of `others` below each value, ties half; its mean over the malignant lesions is the AUC."""
    order = np.sort(others)
    below, up_to = np.searchsorted(order, value), np.searchsorted(order, value, side="right")
    return np.asarray((below + up_to) / (2 * len(order)))


def share_below_within(value: Array, patient: Index, others: Array, others_patient: Index) -> Array:
    """Share of the same patient's `others` below each value, ties half; 0.5 without any.

    `others_patient` must be sorted.
    """
    share = np.full(len(value), 0.5)
    for index in np.unique(patient):
        rows = np.flatnonzero(patient == index)
        first, last = np.searchsorted(others_patient, [index, index + 1])
        if last > first:
            share[rows] = share_below(value[rows], others[first:last])
    return share
