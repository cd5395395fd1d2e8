"""A crop's presence against the label, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from ensemble.run_checks.crops import telling_presence


def ask(malignant: tuple[int, int], benign: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Which lesions have a crop and which are malignant, from (with, without) of each class."""
    has_crop = np.repeat([True, False, True, False], [*malignant, *benign])
    return has_crop, np.repeat([1, 0], [sum(malignant), sum(benign)]).astype(np.int8)


def test_all_malignant_and_one_benign_in_ten() -> None:
    found = telling_presence(*ask((4, 0), (1, 9)))
    assert (found.code, found.status, found.severity) == ("UD216", "found", "warning")
    # Of the C(14, 5) = 2002 choices of 5 crops among 14 lesions, 10 take all 4 malignant and 1 of 10 benign ones; no
    # other number of malignant ones is as rare.
    assert found.values == {"malignant": 1.0, "benign": 0.1, "p": pytest.approx(10 / 2002)}
    assert found.measured == (
        "4 of 4 malignant lesions (100.0%) have a crop, and 1 of 10 benign ones (10.0%); Fisher's exact test: p = 0.005"
    )


@pytest.mark.parametrize("counts", [((2, 2), (5, 5)), ((3, 0), (1000, 0)), ((0, 3), (0, 1000))])
def test_equal_shares_are_clear(counts: tuple[tuple[int, int], tuple[int, int]]) -> None:
    found = telling_presence(*ask(*counts))
    assert found.status == "clear"
    assert found.values["p"] == pytest.approx(1)


def test_the_other_way_round_tells_as_much() -> None:
    assert telling_presence(*ask((0, 4), (9, 1))).values["p"] == pytest.approx(10 / 2002)


def test_one_class_has_nothing_to_tell() -> None:
    assert telling_presence(*ask((4, 3), (0, 0))).status == "not applicable"
