"""When an image score is said to know the hospital."""

from __future__ import annotations

import pytest

from ensemble.run_checks.image_hospital import knows_hospital

CELL = {"estimate": 0.8, "low": 0.7, "high": 0.9, "distinguishable": True}


def share(part: float, low: float) -> dict:
    gap = {"estimate": part * 0.3, "low": low, "high": 0.2, "distinguishable": low > 0}
    same = dict.fromkeys(("pooled", "levelled", "within"), CELL)
    return {"hospitals": ["A", "B"], "lesions": 100, **same, "difference": gap, "share": part, "told": 0.1}


@pytest.mark.parametrize(
    ("part", "low", "status"), [(0.2, 0.01, "found"), (0.2, -0.01, "clear"), (0.04, 0.01, "clear")]
)
def test_a_share_that_is_sure_and_large_is_found(part: float, low: float, status: str) -> None:
    found = knows_hospital({"image": share(part, low)})
    assert (found.code, found.status) == ("UD217", status)
    assert f"{100 * part:.0f} % of what is above chance" in found.measured


def test_the_model_that_knows_is_named() -> None:
    found = knows_hospital({"image": share(0.01, -0.1), "image_net": share(0.3, 0.05), "image_far": None})
    assert found.measured.startswith("image_net: ")
    assert set(found.values["images"]) == {"image", "image_net"}


def test_no_hospital_is_known() -> None:
    assert knows_hospital({"image": None}).status == "not applicable"
    assert knows_hospital({}).status == "not applicable"


def test_a_share_without_an_interval_is_none_that_is_sure() -> None:
    only = share(0.3, 0.05)
    only["difference"] = {"estimate": 0.1, "low": None, "high": None, "distinguishable": False}
    found = knows_hospital({"image": only})
    assert found.status == "clear"
    assert "not distinguishable from none" in found.measured
