"""Tables on a terminal of 100 columns: nothing is cut off, and no interval is broken over two lines."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from uglyduck.terminal.comparison import show_comparison
from uglyduck.terminal.hospitals import show_hospitals
from uglyduck.terminal.robustness import show_robustness

HOSPITAL = "Hautklinik" * 6
FIGURE = {"estimate": 0.1239, "low": 0.0902, "high": 0.1722}
GAP = {"estimate": -0.0034, "low": -0.0155, "high": 0.0032, "distinguishable": False}
TESTED = GAP | {"p": 0.1234, "p_adjusted": 0.4567, "level": 0.95}
ROW = {"left_out": {"pauc": FIGURE}, "patient_folds": {"pauc": FIGURE}, "difference": {"pauc": GAP}}
HOSPITALS = {
    "applicable": True,
    "data": "simulated",
    "compared_with": "blend",
    "replicates": 10_000,
    "fewest_malignant": 10,
    "notes": [],
    "hospitals": [
        {"hospital": HOSPITAL, "lesions": 405_123, "malignant": 1_100, "verdict": "not distinguishable", **ROW},
        {"hospital": "Basel", "lesions": 9, "malignant": 1, "verdict": "too few to tell", "left_out": None},
    ],
    "pooled": {"verdict": "not distinguishable", **ROW},
    "mean": None,
}
COMPARISON = {
    "title": "Feature families",
    "data": "simulated",
    "counts": {"lesions": 401_059, "patients": 1_042, "malignant": 393},
    "settings": {"metric": "pauc", "label": "pAUC"},
    "baseline": {"name": "all features", "features": 1_352, "pauc": FIGURE},
    "not_applicable": [],
    "notes": [],
    "rows": [
        {"name": f"without {name}", "kind": "without", "features": 1_340, "pauc": FIGURE, "difference": TESTED}
        for name in ("tbp", "patient.z and one of a long name that somebody chose")
    ],
}
ROBUSTNESS = {
    "lesions": 401_059,
    "patients": 1_042,
    "malignant": 393,
    "rows": [
        {"score": "blend", "kind": "colour temperature", "strength": strength, "pauc": FIGURE}
        | ({"change": GAP} if strength else {})
        for strength in range(4)
    ],
}
SHOWN: dict[str, Callable[[], None]] = {
    "hospitals": lambda: show_hospitals(HOSPITALS),
    "comparison": lambda: show_comparison(COMPARISON, _nowhere()),
    "robustness": lambda: show_robustness(ROBUSTNESS),
}


def _nowhere() -> Any:  # noqa: ANN401 - only printed
    return "study"


@pytest.mark.parametrize("name", SHOWN)
def test_a_table_fits_a_hundred_columns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    out = StringIO()
    monkeypatch.setattr(f"uglyduck.terminal.{name}.console", lambda _: Console(width=100, file=out, highlight=False))
    SHOWN[name]()
    text = out.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    assert text.count("(") == text.count(")") > 2
    assert all(line.count("(") == line.count(")") for line in text.splitlines()), "an interval is broken"
    assert "not distinguishable" in text
