"""The one place where untrusted image bytes become pixels."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from cohort.stores.protocol import CropError, Pixels

MAX_BYTES = 32 * 2**20
"""Largest encoded size of a crop that is decoded."""
MAX_PIXELS = 40_000_000
"""Largest width times height, checked before any pixel is unpacked. ISIC 2020 images have up to 24 million."""
# What Pillow's JPEG and PNG readers raise on damaged files; its own errors are subclasses of OSError and ValueError.
_DAMAGED = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, OverflowError, struct.error, zlib.error)
_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr"})


def decode(data: bytes, isic_id: str, *, where: Path) -> Pixels:
    """Decode one JPEG or PNG image.

    Args:
        data: The encoded image.
        isic_id: The lesion, for the error.
        where: The store, for the error.

    Returns:
        (height, width, 3) uint8 sRGB.

    Raises:
        CropError: Not a JPEG or PNG image, damaged, cut short, over a cap, or not 8 bits a channel.
    """
    check_size(isic_id, len(data), where=where)
    with warnings.catch_warnings():
        # Pillow's own warning about large images; the limit below decides.
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                check_pixels(isic_id, *image.size, where=where)
                if image.mode not in _MODES:
                    raise CropError(
                        isic_id, f"colour mode {image.mode}", where=str(where), remedy="store 8-bit RGB images"
                    )
                return np.asarray(image.convert("RGB"))
        except (*_DAMAGED, Image.DecompressionBombError) as error:
            raise CropError(
                isic_id,
                f"not a whole JPEG or PNG image ({_kind(data) or _first_line(error)})",
                where=str(where),
                remedy="replace or remove this crop",
            ) from error


def check_size(isic_id: str, n_bytes: int, *, where: Path) -> None:
    """Refuse an encoded crop over the byte cap or an empty one.

    Raises:
        CropError: It is either.
    """
    if n_bytes > MAX_BYTES:
        raise CropError(
            isic_id,
            f"{n_bytes:,} bytes, more than the cap of {MAX_BYTES:,}",
            where=str(where),
            remedy="remove this crop, or scale it down",
        )
    if n_bytes == 0:
        raise CropError(isic_id, "an empty crop", where=str(where), remedy="replace or remove this crop")


def check_pixels(isic_id: str, width: int, height: int, *, where: Path) -> None:
    """Refuse an image over the pixel cap.

    Raises:
        CropError: It is.
    """
    if width * height > MAX_PIXELS:
        raise CropError(
            isic_id,
            f"{width} x {height} pixels, more than the cap of {MAX_PIXELS:,}",
            where=str(where),
            remedy="remove this crop, or scale it down",
        )


def _kind(data: bytes) -> str:
    """The other image format, told by its first bytes; empty if unknown."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "it is a WebP image"
    known = {b"GIF8": "GIF", b"BM": "BMP", b"II*\0": "TIFF", b"MM\0*": "TIFF", b"\0\0\0\x0cjP": "JPEG 2000"}
    found = next((name for magic, name in known.items() if data.startswith(magic)), "")
    heic = "HEIC" if data[4:8] == b"ftyp" else ""
    return f"it is a {found or heic} image" if found or heic else ""


def _first_line(error: BaseException) -> str:
    if isinstance(error, UnidentifiedImageError):  # it names the object in memory
        return "no such image is recognised"
    return (str(error).splitlines() or [type(error).__name__])[0]
