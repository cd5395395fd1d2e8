"""Crops as small pictures inside the page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from PIL import Image

from cohort.stores.protocol import CropError, ImageStore, Pixels, try_read

SIDE = 96
_QUALITY = 80


def thumbnails(store: ImageStore, ids: Iterable[str], *, side: int = SIDE) -> dict[str, str]:
    """Data URIs, by isic_id, of crops scaled to `side` pixels a side; crops that cannot be read are left out."""
    crops = ((name, try_read(store, name)) for name in dict.fromkeys(ids))
    return {name: _data_uri(crop.pixels, side) for name, crop in crops if not isinstance(crop, CropError)}


def _data_uri(pixels: Pixels, side: int) -> str:
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
