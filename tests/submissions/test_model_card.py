"""The card says what the report says, and nothing from the data becomes markup."""

from __future__ import annotations

import json
from typing import Any

from submissions.model_card import NOTICE, as_markdown, model_card
from tests.submissions.report.conftest import HOSTILE, artifacts, bare, full, table

__all__ = ["artifacts", "bare", "full", "table"]  # fixtures

#: TRIPOD+AI's items that a card has a heading for: 1 is the title.
ITEMS = {str(item) for item in range(2, 28)}


def _text_of(card: dict[str, Any], item: str) -> str:
    return "\n".join(
        statement for section in card["sections"] if section["item"] == item for statement in section["statements"]
    )


def test_every_item_has_a_heading_and_something_to_say(full: dict[str, Any]) -> None:
    card = model_card(full)
    assert {section["item"][:2].rstrip("abc") for section in card["sections"]} == ITEMS
    assert all(section["statements"] and all(section["statements"]) for section in card["sections"])
    assert json.loads(json.dumps(card, allow_nan=False)) == card


def test_figures_are_the_reports(full: dict[str, Any]) -> None:
    card = model_card(full)
    pauc = full["overview"]["rows"][0]["pooled"]["pauc"]
    wanted = f"{pauc['estimate']:.4f} ({pauc['low']:.4f} to {pauc['high']:.4f})"
    assert wanted in _text_of(card, "2")
    assert f"Blend of the learners: pAUC {wanted}" in _text_of(card, "23")
    assert "1,500 lesions" in _text_of(card, "6")
    assert "60 malignant lesions" in _text_of(card, "10")
    licence = full["people"]["licences"][0]
    assert f"Licence {licence['name']}: {licence['lesions']:,} lesions" in _text_of(card, "5")


def test_who_is_missing_is_named(full: dict[str, Any]) -> None:
    few = [group["name"] for each in full["fairness"]["divisions"] for group in each["groups"] if not group["enough"]]
    said = _text_of(model_card(full), "26")
    assert few
    assert all(name in said for name in few)


def test_what_was_not_done_is_a_limit(bare: dict[str, Any], full: dict[str, Any]) -> None:
    assert "Not done: uglyduck ablate RUN." in _text_of(model_card(bare), "26")
    assert "Not done" not in _text_of(model_card(full), "26")
    assert "beta calibration" in _text_of(model_card(full), "15")


def test_the_origin_is_said(bare: dict[str, Any], full: dict[str, Any]) -> None:
    assert "not known" in _text_of(model_card(bare), "2")
    assert "simulated" in _text_of(model_card(full), "2")


def test_text_from_the_data_stays_text(full: dict[str, Any]) -> None:
    written = as_markdown(model_card(full))
    assert HOSTILE not in written
    assert "\\<script\\>" in written
    assert "<" not in written.replace("\\<", "")
    assert written.startswith("# Model card: trial")
    assert f"> **{NOTICE}**" in written
