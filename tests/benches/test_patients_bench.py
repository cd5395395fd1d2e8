"""How long the page of a patient with 6,000 lesions takes to open, crops included."""

from __future__ import annotations

import time
from itertools import cycle
from pathlib import Path

import pytest

from cohort.simulator import write_folder
from cohort.stores.opening import open_store
from submissions.patients.writing import Pages
from submissions.shortlist import Shortlist
from tests.benches.performance import record
from tests.submissions.report.browser import LACKING, open_browser
from tests.submissions.report.test_patients import ABOUT, NEEDED, first_page, ranked_lesions

LESIONS, SECONDS, REPEATS, DRAWN = 6_000, 2.0, 10, 200


@pytest.mark.bench
@pytest.mark.skipif(bool(LACKING), reason=LACKING)
def test_six_thousand_lesions_open_in_two_seconds(tmp_path: Path) -> None:
    lesions = ranked_lesions(LESIONS, 1)
    crops = tmp_path / "crops"
    crops.mkdir()
    write_folder(tmp_path / "drawn", DRAWN, seed=0, malignant=5, images=True)
    drawn = open_store(tmp_path / "drawn/train-image.hdf5")
    for name, other in zip(lesions["isic_id"], cycle(drawn.ids), strict=False):
        (crops / f"{name}.jpg").write_bytes(drawn.encoded(other))
    start = time.monotonic()
    pages = Pages(ABOUT, Shortlist.top(), [], NEEDED, open_store(crops))
    pages.write(lesions, tmp_path, first=None, made_from={})
    written, path, taken = time.monotonic() - start, first_page(tmp_path), []
    with open_browser() as browser:
        browser.call("Performance.enable", timeDomain="threadTicks")
        busy = []
        for _ in range(REPEATS):
            start = time.monotonic()
            browser.show(path, width=1400)
            browser.evaluate("document.getElementById('d-1').getBoundingClientRect().width")
            taken.append(time.monotonic() - start)
            found = {one["name"]: one["value"] for one in browser.call("Performance.getMetrics")["metrics"]}
            busy.append(found["TaskDuration"])  # each opening has a process of its own
    rows = [["written", f"{written:.1f}", ""], ["opened", f"{min(taken):.2f}", f"{min(busy):.2f}"]]
    about = (
        f"{path.stat().st_size / 1e6:.1f} MB with a simulated crop of each lesion; the shortest of {REPEATS} times. "
        f"Bound: {SECONDS:g} seconds to open."
    )
    record("The page of a patient with 6,000 lesions", about, ["", "seconds", "of which the page's thread works"], rows)
    assert min(taken) < SECONDS
