"""All descriptors of a batch of crops."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cohort.stores.protocol import Crop
from image_embeddings.descriptors.colour import lab
from image_embeddings.descriptors.gradients import gradient_numbers
from image_embeddings.descriptors.inside import inside_numbers
from image_embeddings.descriptors.region import Doubles, Region
from image_embeddings.descriptors.rings import ring_numbers
from image_embeddings.descriptors.segmentation import segment
from image_embeddings.descriptors.shape import shape_numbers
from image_embeddings.descriptors.texture import texture_numbers

COLOUR_SIZE = 64
TEXTURE_SIZE = 128


def describe_crops(crops: Sequence[Crop]) -> dict[str, Doubles]:
    """Every descriptor of every crop.

    A crop's numbers depend on that crop alone, except that their last bits depend on how many crops there are.

    Args:
        crops: At least one crop, each of any size; all are taken to show the same width of skin.

    Returns:
        Name to (crops,) float64, always the same names in the same order, all finite.
    """
    images = [Image.fromarray(crop.pixels) for crop in crops]
    planes = lab(np.stack([_resized(image, COLOUR_SIZE) for image in images]))
    luma = np.stack([_resized(image.convert("L"), TEXTURE_SIZE) for image in images])
    lesion = segment(planes)
    region = Region(lesion.mask)
    return {
        **_file_numbers(crops),
        **ring_numbers(planes),
        **gradient_numbers(planes),
        **inside_numbers(lesion, region, planes),
        **shape_numbers(lesion, region, planes),
        **texture_numbers(luma, planes),
    }


def _resized(image: Image.Image, size: int) -> NDArray[np.uint8]:
    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(image)


def _file_numbers(crops: Sequence[Crop]) -> dict[str, Doubles]:
    """Size in pixels, encoded size, and bytes per pixel: how much detail the encoder found."""
    width = np.array([crop.pixels.shape[1] for crop in crops], np.float64)
    height = np.array([crop.pixels.shape[0] for crop in crops], np.float64)
    n_bytes = np.array([crop.n_bytes for crop in crops], np.float64)
    return {"crop_width_px": width, "crop_bytes": n_bytes, "crop_bytes_per_px": n_bytes / (width * height)}
