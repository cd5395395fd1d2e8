"""A sheet is whole once the charts' own stands before it."""

from __future__ import annotations

import re

import pytest

from submissions.report.page import style_sheet


@pytest.mark.parametrize("name", ["style.css", "poster.css"])
def test_every_colour_that_is_used_is_set_for_light_and_for_dark(name: str) -> None:
    sheet = style_sheet(name).split("@media print")[0]
    used = set(re.findall(r"var\((--[\w-]+)\)", sheet))
    assert used
    set_here = re.findall(r"(--[\w-]+):", sheet)
    assert {colour for colour in used if set_here.count(colour) != 2} == set()
