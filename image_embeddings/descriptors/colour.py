"""CIELAB for whole batches of crops, and the few skin-colour numbers dermatology uses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# sRGB (IEC 61966-2-1) to CIE XYZ under D65, each row divided by the white point, so that white gives (1, 1, 1).
_WHITE = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_MATRIX = (_TO_XYZ / _WHITE[:, None]).T.astype(np.float32)


def _linear_table() -> Floats:
    value = np.arange(256) / 255.0
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4).astype(np.float32)


_LINEAR = _linear_table()
# f(t) of CIE 1976 tabulated at 4,096 steps: its steepest slope (7.8) keeps L*, a*, b* within 0.1 of the exact values.
_STEPS = 4096


def _cube_root_table() -> Floats:
    value = np.arange(_STEPS + 1) / _STEPS
    return np.where(value > (6 / 29) ** 3, np.cbrt(value), value / (3 * (6 / 29) ** 2) + 4 / 29).astype(np.float32)


_CUBE_ROOT = _cube_root_table()


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """CIELAB (D65, 2°) of sRGB pixels.

    Args:
        rgb: (..., 3) uint8 sRGB.

    Returns:
        (3, ...) float32: L* in 0 to 100, a* and b* in about -110 to 110, planes first so that each is contiguous.
    """
    xyz = _LINEAR.take(rgb).reshape(-1, 3) @ _MATRIX
    np.clip(xyz, 0, 1, out=xyz)
    f = _CUBE_ROOT.take((xyz * _STEPS + 0.5).astype(np.int32))
    shape = rgb.shape[:-1]
    planes = np.empty((3, f.shape[0]), np.float32)
    planes[0] = 116 * f[:, 1] - 16
    planes[1] = 500 * (f[:, 0] - f[:, 1])
    planes[2] = 200 * (f[:, 1] - f[:, 2])
    return planes.reshape(3, *shape)


def chroma(a: Floats, b: Floats) -> Floats:
    """Chroma C*ab = hypot(a*, b*)."""
    return np.hypot(a, b)


def hue(a: Floats, b: Floats) -> Floats:
    """Hue angle in degrees, atan2(b*, a*): 25 is red, 75 brown."""
    return np.degrees(np.arctan2(b, a)).astype(np.float32)
