"""Pixels of one crop on their way to the network, with and without randomness."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional
from torchvision.transforms import v2

from image_embeddings.clahe import clahe
from image_embeddings.presets import AugmentationName, Preset


def prepare(pixels: NDArray[np.uint8], preset: Preset) -> NDArray[np.uint8]:
    """(size, size, 3) uint8 of a crop of any size: what the network sees without augmentation."""
    pixels = _centre(pixels, preset.view)
    if preset.clahe:
        pixels = clahe(pixels)
    if pixels.shape[:2] != (preset.size, preset.size):
        image = Image.fromarray(pixels).resize((preset.size, preset.size), Image.Resampling.BICUBIC)
        pixels = np.asarray(image)
    return pixels


def _centre(pixels: NDArray[np.uint8], share: float) -> NDArray[np.uint8]:
    """The middle of a crop, `share` of its width and height; at least one pixel."""
    height, width = (max(1, round(length * share)) for length in pixels.shape[:2])
    top, left = (pixels.shape[0] - height) // 2, (pixels.shape[1] - width) // 2
    return pixels[top : top + height, left : left + width]


def as_tensor(pixels: NDArray[np.uint8]) -> Tensor:
    """(3, size, size) uint8, copied: Pillow's memory is read-only, which torch warns about."""
    return torch.from_numpy(np.array(pixels.transpose(2, 0, 1)))


class RandomView(v2.Transform):
    """A random mirror image, rotation, scale and shift in one resampling; the outside is filled by reflection.

    A lesion has no upright position, so any angle is as good as another; reflection avoids black corners.
    """

    def __init__(self, *, degrees: float, scale: tuple[float, float], shift: float) -> None:
        super().__init__()
        self.radians, self.scale, self.shift = math.radians(degrees), scale, shift

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """Draw from torch's global generator, as torchvision's own transforms do."""
        del flat_inputs
        angle, size, across, down, mirror = torch.rand(5).tolist()
        turn = (2 * angle - 1) * self.radians
        zoom = self.scale[0] + size * (self.scale[1] - self.scale[0])
        sign = -1.0 if mirror < 0.5 else 1.0
        cosine, sine = zoom * math.cos(turn), zoom * math.sin(turn)
        left, up = (2 * across - 1) * self.shift, (2 * down - 1) * self.shift
        return {"matrix": [[cosine * sign, -sine, left], [sine * sign, cosine, up]]}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Tensor:  # noqa: ANN401 - torchvision's signature
        """(3, size, size) uint8 to the same."""
        images = inpt[None].float()
        grid = functional.affine_grid(torch.tensor([params["matrix"]]), list(images.shape), align_corners=False)
        seen = functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
        return seen[0].round_().clamp_(0, 255).to(torch.uint8)


def augmentation(name: AugmentationName) -> v2.Transform:
    """The transform of (3, size, size) uint8 pixels that a preset names.

    "none"; "flips" and quarter turns; "standard", any view and small changes of light; "strong", larger changes, a
    little blur and an erased patch; "report", the flips, rotation and rescaling of the student report.
    """
    match name:
        case "none":
            return v2.Identity()
        case "flips":
            turn = v2.RandomChoice([v2.RandomRotation((angle, angle)) for angle in (0, 90, 180, 270)])
            return v2.Compose([v2.RandomHorizontalFlip(), turn])
        case "standard":
            colour = v2.ColorJitter(brightness=0.15, contrast=0.15, saturation=0.15)
            return v2.Compose([RandomView(degrees=180, scale=(0.85, 1.15), shift=0.06), colour])
        case "strong":
            colour = v2.ColorJitter(brightness=0.25, contrast=0.25, saturation=0.25, hue=0.02)
            blur = v2.RandomApply([v2.GaussianBlur(5, sigma=(0.3, 1.2))], p=0.15)
            erased = v2.RandomErasing(p=0.2, scale=(0.02, 0.1), value=127)
            return v2.Compose([RandomView(degrees=180, scale=(0.75, 1.25), shift=0.1), colour, blur, erased])
        case "report":
            return RandomView(degrees=30, scale=(0.9, 1.1), shift=0.0)
