"""Crops as another camera might have taken them: what a phone does to a picture, at three strengths.

Each perturbation depends only on the crop, its id and the strength. If it has a direction (brighter or darker, warmer
or colder, clockwise or not), the id decides, so that half of the crops go each way: harsher than one camera, which
would shift all crops of a patient alike.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from cohort.stores.protocol import Crop, Pixels

STRENGTHS = (1, 2, 3)
_GAMMA = 2.2  # approximately that of sRGB
_REFERENCE_QUALITY = 90


def _lighting(pixels: Pixels, sign: int, strength: int) -> Pixels:
    """Exposure by 0.25, 0.5 or 1 stop, and the camera's gamma by 5, 10 or 20 % in the same direction."""
    stops, bend = (0.25, 0.5, 1.0)[strength - 1], (1.05, 1.1, 1.2)[strength - 1]
    linear = (pixels / 255.0) ** _GAMMA * 2.0 ** (sign * stops)
    return _to_bytes(255.0 * np.minimum(linear, 1.0) ** (bend**-sign / _GAMMA))


def _white_balance(pixels: Pixels, sign: int, strength: int) -> Pixels:
    """Change red and blue by 5, 10 or 20 % in opposite directions."""
    ratio = (1.05, 1.1, 1.2)[strength - 1] ** sign
    return _to_bytes(pixels * np.array([ratio, 1.0, 1 / ratio]))


def _blur(pixels: Pixels, _sign: int, strength: int) -> Pixels:
    """Gaussian blur with a standard deviation of 0.5, 1 or 2 % of the width."""
    radius = (0.005, 0.01, 0.02)[strength - 1] * pixels.shape[1]
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


def _jpeg(pixels: Pixels, _sign: int, strength: int) -> Pixels:
    """JPEG at quality 60, 30 or 10."""
    with Image.open(io.BytesIO(_encoded(pixels, (60, 30, 10)[strength - 1]))) as image:
        return np.asarray(image.convert("RGB"))


def _resolution(pixels: Pixels, _sign: int, strength: int) -> Pixels:
    """Shrink to 70, 50 or 30 % of the width, and enlarge again."""
    image, share = Image.fromarray(pixels), (0.7, 0.5, 0.3)[strength - 1]
    width, height = (max(1, round(length * share)) for length in image.size)
    small = image.resize((width, height), Image.Resampling.BOX)
    return np.asarray(small.resize(image.size, Image.Resampling.BICUBIC))


def _rotation(pixels: Pixels, sign: int, strength: int) -> Pixels:
    """Rotate by 5, 15 or 45 degrees; the outside is filled with the mirror image of the rim."""
    height, width = pixels.shape[:2]
    rim = max(height, width) // 4
    wide = Image.fromarray(np.pad(pixels, ((rim, rim), (rim, rim), (0, 0)), "symmetric"))
    turned = wide.rotate(sign * (5, 15, 45)[strength - 1], Image.Resampling.BICUBIC)
    return np.asarray(turned)[rim : rim + height, rim : rim + width]


PERTURBATIONS: dict[str, Callable[[Pixels, int, int], Pixels]] = {
    "lighting": _lighting,
    "white balance": _white_balance,
    "blur": _blur,
    "JPEG": _jpeg,
    "resolution": _resolution,
    "rotation": _rotation,
}


@dataclass(frozen=True)
class Perturbation:
    """One kind of perturbation at one strength.

    Attributes:
        kind: A key of `PERTURBATIONS`.
        strength: 1 to 3.
    """

    kind: str
    strength: int

    @property
    def name(self) -> str:
        """Kind and strength, as in tables."""
        return f"{self.kind} {self.strength}"

    def __call__(self, crop: Crop) -> Crop:
        """The perturbed crop; its encoded size changes by the ratio found when encoding both at the same quality."""
        sign = 1 if hashlib.sha256(f"{self.kind}/{crop.isic_id}".encode()).digest()[0] % 2 else -1
        pixels = np.ascontiguousarray(PERTURBATIONS[self.kind](crop.pixels, sign, self.strength))
        before, after = (len(_encoded(each, _REFERENCE_QUALITY)) for each in (crop.pixels, pixels))
        return Crop(crop.isic_id, pixels, max(1, round(crop.n_bytes * after / before)))


ALL = tuple(Perturbation(kind, strength) for kind in PERTURBATIONS for strength in STRENGTHS)
"""Every kind at every strength."""


def _to_bytes(values: NDArray[np.float64]) -> Pixels:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def _encoded(pixels: Pixels, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()
