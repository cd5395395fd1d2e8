"""Constants of a cohort, pooled from the sums of its patients."""

from __future__ import annotations

import numpy as np

from features.arithmetic.segments import Floats
from features.patients.state import Scale

_PULL_RANGE = (0.5, 1000.0)


def pooled_scale(patients: Floats, scopes: list[str]) -> Scale | None:
    """How one number is spread over the cohort; None if no patient has it.

    Args:
        patients: One column per patient: count, mean, sum of squared deviations (SS), robust SS, then for each scope SS
            within its places, Σ over the places of count², and the number of places.
        scopes: Names of the scopes.
    """
    patients = patients[:, patients[0] > 0]
    count, mean, squares, robust = patients[:4]
    total, degrees = float(count.sum()), float((count - 1).sum())
    if not total:
        return None
    centre = float((count * mean).sum() / total)
    apart = float((count * (mean - centre) ** 2).sum())
    within = float(squares.sum()) / degrees if degrees else 0.0
    spare = total - float((count**2).sum()) / total
    between = max(apart - (count.size - 1) * within, 0.0) / spare if spare > 0 else 0.0
    pulls = {scope: _pull(patients[[0, 2, *range(4 + 3 * at, 7 + 3 * at)]]) for at, scope in enumerate(scopes)}
    return Scale(
        mean=centre,
        sd=float(np.sqrt((squares.sum() + apart) / max(total - 1, 1.0))),
        within=float(np.sqrt(within)),
        between=float(np.sqrt(between)),
        robust=float(np.sqrt(robust.sum() / degrees)) if degrees else 0.0,
        pulls=pulls,
    )


def _pull(rows: Floats) -> float:
    """κ: variance within places over variance between a patient's places, by the method of moments (Henderson 1953).

    Args:
        rows: One column per patient: count, SS, SS within places, Σ over places of count², places.
    """
    count, squares, inside, count_squared, places = rows
    degrees = float((count - places).sum())
    spare = float((count - count_squared / count).sum())
    if degrees <= 0 or spare <= 0:
        return _PULL_RANGE[1]
    error = float(inside.sum()) / degrees
    between = (float((squares - inside).sum()) - error * float((places - 1).sum())) / spare
    return float(np.clip(error / between, *_PULL_RANGE)) if between > 0 else _PULL_RANGE[1]


def pooled_correlation(squares: Floats) -> tuple[tuple[float, ...], ...]:
    """Pooled correlation within patients; empty if a number does not vary.

    It is the covariance of numbers in units of their standard deviation within patients.

    Args:
        squares: (patients, k, k) products of deviations from the patient's mean.
    """
    total = squares.sum(axis=0)
    sd = np.sqrt(np.diagonal(total))
    if not (sd > 0).all():
        return ()
    return tuple(tuple(row) for row in (total / sd / sd[:, None]).tolist())
