"""Pictures of a training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import polars as pl
from PIL import Image

from image_embeddings.pictures import contact_sheet, learning_curves, picks

OOF = pl.DataFrame(
    {
        "isic_id": ["a", "b", "c", "d", "e"],
        "target": [0, 1, 0, 1, 1],
        "score": [0.9, 0.8, 0.2, 0.1, None],
    }
)


def test_picks_of_a_contact_sheet() -> None:
    rows = [frame["isic_id"].to_list() for frame in picks(OOF, 2).values()]
    # Highest of all; malignant from the lowest up; benign from the highest down. The unreadable one is in none.
    assert rows == [["a", "b"], ["d", "b"], ["a", "c"]]


def test_a_contact_sheet_shows_the_crops_and_skips_the_unreadable(crops: SimpleNamespace, tmp_path: Path) -> None:
    oof = crops.frame.select("isic_id", "target", score=pl.col("target") * 0.5 + 0.1)
    extra = pl.DataFrame({"isic_id": ["ISIC_gone"], "target": [1], "score": [0.99]}, schema=oof.schema)
    contact_sheet(pl.concat([extra, oof]), crops.store, tmp_path / "contact.png")
    with Image.open(tmp_path / "contact.png") as picture:
        assert picture.width == 10 * 112
        colours = picture.convert("RGB").getcolors(1 << 20)
    assert colours is not None
    assert len(colours) > 500


def test_learning_curves_are_drawn_where_there_are_epochs(tmp_path: Path) -> None:
    history = {
        "fold0": [{"epoch": 1.0, "loss": 0.7}, {"epoch": 2.0, "loss": 0.4}],
        "fold1": [{"epoch": 1.0, "loss": 0.6}],
    }
    assert learning_curves(history, tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (640, 300)
    assert not learning_curves({"fold0": []}, tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


def test_an_inner_score_has_a_panel_of_its_own(tmp_path: Path) -> None:
    learning_curves(
        {"fold0": [{"loss": 0.7, "inner_pauc": 0.1}, {"loss": 0.4, "inner_pauc": 0.12}]}, tmp_path / "c.png"
    )
    with Image.open(tmp_path / "c.png") as picture:
        assert picture.size == (640, 600)
