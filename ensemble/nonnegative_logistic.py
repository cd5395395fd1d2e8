"""Logistic regression with weights of 0 or more, used for the stack of a blend and for calibration curves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize
from scipy.special import expit

Floats = npt.NDArray[np.float64]
_OPTIONS = {"maxiter": 500, "ftol": 1e-15, "gtol": 1e-10}


def nonnegative_logistic(columns: Floats, positive: npt.NDArray[np.bool_], *, ridge: float = 0.0) -> Floats:
    r"""Fit by maximum likelihood, with weights of 0 or more, an intercept and optionally a ridge penalty.

    Minimises the mean over lesions of $\ln(1 + e^m) - y m$, with margin $m = x \cdot w + c$, plus
    $\frac{\text{ridge}}{2} \lVert w \rVert^2$. The intercept c is free and is not penalised.

    Args:
        columns: Finite, shape (lesions, columns).
        positive: Which lesions are malignant, shape (lesions,); both classes present.
        ridge: Penalty on the weights, 0 or more.

    Returns:
        A weight for each column, then the intercept; shape (columns + 1,).
    """
    lesions, width = columns.shape
    share = float(positive.mean())

    def loss(weights: Floats) -> tuple[float, Floats]:
        margin = columns @ weights[:-1] + weights[-1]
        residual = expit(margin) - positive
        value = (np.logaddexp(0, margin).sum() - margin[positive].sum()) / lesions
        slope = np.append(columns.T @ residual, residual.sum()) / lesions
        slope[:-1] += ridge * weights[:-1]
        return value + ridge * float(weights[:-1] @ weights[:-1]) / 2, slope

    start = np.append(np.ones(width), np.log(share / (1 - share)))
    bounds = [(0.0, None)] * width + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=_OPTIONS)
    return np.asarray(found.x, dtype=np.float64)
