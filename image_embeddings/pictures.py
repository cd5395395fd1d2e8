"""Pictures of a training: how the loss fell, and the crops worth a look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from PIL import Image, ImageDraw, ImageFont

from cohort.frames import ID
from cohort.stores.protocol import CropError, CropReader, try_read
from engine.files import atomic_path

_COLOURS = ("#1b6ca8", "#d1495b", "#2e8b57", "#8d6a9f", "#edae49", "#5b5b5b")
_TILE, _TEXT, _COLUMNS = 112, 26, 10


def learning_curves(history: Mapping[str, Sequence[Mapping[str, float]]], path: Path) -> bool:
    """Draw the loss of each part by epoch, and the inner pAUC if there is one.

    Args:
        history: Entries per epoch (epoch, loss and perhaps inner_pauc), by part.
        path: The PNG file.

    Returns:
        Whether there was anything to draw.
    """
    named = {
        measure: {part: [entry[measure] for entry in entries if measure in entry] for part, entries in history.items()}
        for measure in ("loss", "inner_pauc")
    }
    panels = {measure: {part: line for part, line in lines.items() if line} for measure, lines in named.items()}
    panels = {measure: lines for measure, lines in panels.items() if lines}
    if not panels:
        return False
    picture = Image.new("RGB", (640, 300 * len(panels)), "white")
    for place, (measure, lines) in enumerate(panels.items()):
        _draw_panel(picture, 300 * place, measure, lines)
    with atomic_path(path) as temporary:
        picture.save(temporary, "PNG")
    return True


def _draw_panel(picture: Image.Image, top: int, title: str, lines: Mapping[str, Sequence[float]]) -> None:
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default()
    left, right, upper, lower = 60, 540, top + 30, top + 265
    values = [value for line in lines.values() for value in line]
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    longest = max(len(line) for line in lines.values())
    draw.text((left, top + 8), f"{title} by epoch", fill="black", font=font)
    draw.rectangle((left, upper, right, lower), outline="#bbbbbb")
    for value, y in ((high, upper), (low, lower)):
        draw.text((6, y - 6), f"{value:.3f}", fill="black", font=font)
    draw.text((left, lower + 6), "1", fill="black", font=font)
    draw.text((right - 14, lower + 6), str(longest), fill="black", font=font)
    for place, (part, line) in enumerate(lines.items()):
        colour = _COLOURS[place % len(_COLOURS)]
        step = (right - left) / max(longest - 1, 1)
        points = [
            (left + epoch * step, lower - (value - low) / span * (lower - upper)) for epoch, value in enumerate(line)
        ]
        draw.line([*points, points[-1]], fill=colour, width=2)
        draw.text((right + 10, upper + 16 * place), part, fill=colour, font=font)


def contact_sheet(oof: pl.DataFrame, store: CropReader, path: Path) -> None:
    """Draw the highest-scored, the missed and the false-alarm crops, out of fold.

    Args:
        oof: isic_id, target, score.
        store: Where the crops are.
        path: The PNG file.
    """
    font = ImageFont.load_default()
    rows = picks(oof, _COLUMNS)
    picture = Image.new("RGB", (_COLUMNS * _TILE, len(rows) * (_TILE + _TEXT + 18)), "white")
    draw = ImageDraw.Draw(picture)
    for place, (title, chosen) in enumerate(rows.items()):
        top = place * (_TILE + _TEXT + 18)
        draw.text((4, top + 3), title, fill="black", font=font)
        for column, (isic_id, score) in enumerate(chosen.select(ID, "score").iter_rows()):
            crop = try_read(store, isic_id)
            if isinstance(crop, CropError):
                continue
            tile = Image.fromarray(crop.pixels).resize((_TILE - 4, _TILE - 4))
            picture.paste(tile, (column * _TILE + 2, top + 18))
            draw.text((column * _TILE + 2, top + _TILE + 16), f"{isic_id[-13:]}\n{score:.4f}", fill="black", font=font)
    with atomic_path(path) as temporary:
        picture.save(temporary, "PNG")


def picks(oof: pl.DataFrame, count: int) -> dict[str, pl.DataFrame]:
    """The rows of a contact sheet by title; ties are broken by isic_id."""
    known = oof.drop_nulls("score").sort(["score", ID], descending=[True, False])
    malignant, benign = known.filter(pl.col("target") == 1), known.filter(pl.col("target") == 0)
    return {
        "highest scored": known.head(count),
        "missed: malignant with the lowest scores": malignant.tail(count).reverse(),
        "false alarms: benign with the highest scores": benign.head(count),
    }
