"""Many crops in one picture, to look at."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

from engine.files import atomic_path

_GAP = 2


def contact_sheet(crops: Iterable[bytes], path: Path, *, columns: int = 12, cell: int = 132, scale: int = 1) -> None:
    """Lay crops out in rows on white and write one picture.

    Args:
        crops: JPEGs; one larger than `cell` is scaled down, none is scaled up but by `scale`.
        path: File to write; its suffix says in which format.
        columns: Crops in a row.
        cell: Pixels per crop, its gap included.
        scale: Whole number of pixels to draw for each.

    Raises:
        InputError: The file cannot be written.
    """
    pictures = [Image.open(io.BytesIO(crop)).convert("RGB") for crop in crops]
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell * scale, max(1, rows) * cell * scale), "white")
    for index, picture in enumerate(pictures):
        picture.thumbnail((cell - _GAP, cell - _GAP))
        large = picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)
        sheet.paste(large, (index % columns * cell * scale, index // columns * cell * scale))
    with atomic_path(Path(path)) as temporary:
        sheet.save(temporary)
