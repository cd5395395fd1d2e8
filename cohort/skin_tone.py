"""Skin tone as a number: the individual typology angle of a colour."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Colours = TypeVar("Colours", NDArray[np.float32], NDArray[np.float64])


def individual_typology_angle(lightness: Colours, yellow: Colours) -> Colours:
    r"""Individual typology angle (ITA) in degrees, $\mathrm{atan2}(L^* - 50, b^*) \cdot 180 / \pi$.

    Higher is lighter: above 55 very light skin, below -30 dark skin. The arctangent of two arguments differs from the
    published $\arctan((L^* - 50) / b^*)$ only where $b^* \le 0$, which skin does not have.

    Source: Chardon, Cretois and Hourseau, Int J Cosmet Sci 13:191, 1991.

    Args:
        lightness: L* of CIELAB, 0 to 100, of any shape.
        yellow: b* of CIELAB, of the same shape.

    Returns:
        Angles in (-180, 180], of the same shape and dtype; NaN where an input is.
    """
    return np.degrees(np.arctan2(lightness - 50, yellow))
