"""Crops as small pictures inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from PIL import Image

from cohort.stores.protocol import CropError, ImageStore, Pixels, try_read

SIDE = 96
_QUALITY = 80


def thumbnails(store: ImageStore, ids: Iterable[str]) -> dict[str, str]:
    """Data URIs by isic_id; a crop that cannot be read is left out."""
    crops = ((name, try_read(store, name)) for name in dict.fromkeys(ids))
    return {name: _data_uri(crop.pixels) for name, crop in crops if not isinstance(crop, CropError)}


def _data_uri(pixels: Pixels) -> str:
    image = Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
