"""Fingerprints of code: comments do not count, what runs does, however deep it lies."""

from __future__ import annotations

from pathlib import Path

import pytest

import engine.code
from engine.code import code_behind, code_of, modules_behind


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package `cohort` of our own: `top` imports `middle` inside a function, `middle` imports `deep`."""
    monkeypatch.setattr(engine.code, "_HERE", tmp_path)
    for name, text in {
        "cohort/__init__.py": "",
        "cohort/top.py": '"""Top."""\n\ndef go():\n    from cohort.middle import half\n    return half(2)\n',
        "cohort/middle.py": "from cohort import deep\n\ndef half(x):\n    return deep.SIGN * x / 2\n",
        "cohort/deep.py": "SIGN = 1  # the sign\n",
        "cohort/other.py": "A = 1\n",
    }.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    _forget()
    yield tmp_path
    _forget()


def _forget() -> None:
    for cached in (code_behind, engine.code._imports, engine.code._meaning, engine.code._place):
        cached.cache_clear()


def test_what_is_imported_anywhere_counts(house: Path) -> None:
    assert modules_behind("cohort.top") == ["cohort", "cohort.deep", "cohort.middle", "cohort.top"]
    assert modules_behind("cohort.top", ("cohort.middle",)) == ["cohort", "cohort.top"]


def test_a_comment_or_a_docstring_changes_nothing(house: Path) -> None:
    before = code_behind("cohort.top")
    (house / "cohort/deep.py").write_text('"""Deep."""\n\n# another comment\nSIGN = (1)\n"""The sign."""\n')
    (house / "cohort/top.py").write_text((house / "cohort/top.py").read_text().replace("Top.", "The top."))
    _forget()
    assert code_behind("cohort.top") == before


def test_a_changed_sign_deep_below_is_noticed(house: Path) -> None:
    before, alone = code_behind("cohort.top"), code_of("cohort.top")
    (house / "cohort/deep.py").write_text("SIGN = -1  # the sign\n")
    _forget()
    assert code_behind("cohort.top") != before
    assert code_of("cohort.top") == alone


def test_what_is_not_imported_does_not_count(house: Path) -> None:
    before = code_behind("cohort.top")
    (house / "cohort/other.py").write_text("A = 2\n")
    _forget()
    assert code_behind("cohort.top") == before
