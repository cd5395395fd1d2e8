"""Whether promised short lists keep their promises, 500 times over, and how long ranking takes at full size."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest

from cohort.columns import NUMERIC
from cohort.frames import join_by_id
from cohort.simulator import simulate
from submissions.conformal import Promise, find_limit, mean_losses
from submissions.curves import curves
from submissions.ranking import rank_lesions, ranked_within
from submissions.ranking_files import write_ranking
from submissions.reasons import reasons
from submissions.shortlist import By, Shortlist
from tests.benches.performance import record
from tests.submissions.reading_order import Fared, trial

DOCUMENT = Path(__file__).parents[2] / "docs" / "ranking.md"
REPETITIONS = 500
LESIONS = 500_000
MOST_SECONDS = 20.0
PROMISES = tuple(
    Promise(sensitivity, confidence, loss)
    for confidence in (None, 0.9)
    for sensitivity in (0.8, 0.9)
    for loss in ("share", "any")
)
PATIENTS = (10, 30, 60, 250)
HEADER = ("sensitivity", "loss", "promised", "patients", "cohorts that keep it", "mean loss", "median list")


def markdown(fared: Fared, patients: int, *, by: str = "rank") -> str:
    promise = fared.promise
    limit = float(np.median(fared.limits))
    cells = (
        f"{promise.sensitivity:g}",
        promise.loss,
        f"mean loss ≤ {promise.alpha:.2g}" if promise.confidence is None else f"cohorts ≥ {promise.confidence}",
        str(patients),
        f"{fared.kept:.3f} ± {fared.kept_error:.3f}",
        f"{fared.mean_loss:.4f} ± {fared.mean_loss_error:.4f}",
        f"{limit:.0f} lesions" if by == "rank" else f"score ≥ {-limit:.2g}",
    )
    return f"| {' | '.join(cells)} |"


def beta_geometric() -> Iterator[tuple[Fared, str]]:
    for promise in PROMISES:
        for patients in PATIENTS:
            if patients >= promise.patients_needed:
                fared = trial(promise, patients, repetitions=REPETITIONS)
                yield fared, markdown(fared, patients)


def simulated_population() -> Iterator[tuple[Fared, str]]:
    """Cohorts drawn with replacement from the carriers of a simulated cohort, whose mean loss is thereby the truth."""
    cohort = simulate(120_000, seed=11, malignant=900)
    scores = cohort.metadata.select("isic_id", "patient_id", "target")
    ranked = ranked_within(join_by_id(scores, cohort.truth.select("isic_id", score="p_table")))
    malignant = ranked.filter(pl.col("target") == 1).with_columns(code=pl.col("patient_id").rank("dense") - 1)
    lesions = [group for _, group in malignant.group_by("code", maintain_order=True)]
    rng = np.random.default_rng(5)
    for by in get_args(By):
        entries = [(g["rank"] if by == "rank" else -g["score"]).cast(pl.Float64).to_numpy() for g in lesions]
        everybody = np.repeat(np.arange(len(entries)), [entry.size for entry in entries])
        for promise in PROMISES:
            steps, losses = mean_losses(np.concatenate(entries), everybody, promise.loss)
            for patients in (60, 250):
                limits = []
                for _ in range(REPETITIONS):
                    drawn = [entries[one] for one in rng.integers(0, len(entries), patients)]
                    owner = np.repeat(np.arange(patients), [entry.size for entry in drawn])
                    limits.append(find_limit(np.concatenate(drawn), owner, promise).entry)
                place = np.searchsorted(steps, limits, side="right") - 1
                lost = np.where(place >= 0, losses[np.maximum(place, 0)], 1.0)
                fared = Fared(promise, np.array(limits), lost)
                yield fared, markdown(fared, patients, by=by)


@pytest.mark.bench
def test_promises_are_kept_and_the_document_says_so() -> None:
    parts = {
        "Patients of known difficulty: the ease of a patient is Beta(0.8, 1.2), ranks are geometric, 1 to 4 malignant "
        "lesions each.": list(beta_geometric()),
        "Patients with a malignant lesion of a simulated cohort, drawn with replacement; the score is the best "
        "possible from the table. First lists by rank, then by score.": list(simulated_population()),
    }
    tables = []
    for introduction, rows in parts.items():
        head = f"| {' | '.join(HEADER)} |\n|{' --- |' * len(HEADER)}"
        tables.append("\n".join([introduction, "", head, *(line for _, line in rows)]))
        assert not [line for fared, line in rows if fared.broken]
    filled = "\n\n".join(tables)
    between = re.compile(r"(<!-- guarantee -->\n).*?(<!-- end -->)", re.DOTALL)
    text = between.sub(lambda match: f"{match[1]}{filled}\n{match[2]}", DOCUMENT.read_text("utf-8"))
    DOCUMENT.write_text(text, "utf-8")


@pytest.mark.bench
def test_half_a_million_lesions_are_ranked_quickly(tmp_path: Path) -> None:
    cohort = simulate(LESIONS, seed=3)
    frame = cohort.metadata.with_columns(pl.col(NUMERIC).cast(pl.Float64)).sort("patient_id", "isic_id")
    truth = cohort.truth.select("isic_id", score="p_table", risk="p_table")
    scores = join_by_id(frame.select("isic_id", "patient_id", "target"), truth)
    seconds: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever the step makes
        start = time.perf_counter()
        made = work()
        seconds[step] = time.perf_counter() - start
        return made

    shortlist = timed(
        "shortest list of a promise", lambda: Shortlist.promised(ranked_within(scores), Promise(0.8, 0.9))
    )
    ranked = timed("rank", lambda: rank_lesions(scores, shortlist=shortlist))
    whole = timed("reasons", lambda: join_by_id(ranked, reasons(frame)))
    for suffix in ("csv", "parquet", "json"):
        out = tmp_path / f"ranking.{suffix}"
        timed(f"write {suffix}", lambda out=out: write_ranking(whole, out, about={}))
    timed("curves, 2,000 replicates", lambda: curves(scores))
    assert sum(seconds.values()) < MOST_SECONDS
    record(
        "Ranking",
        f"`rank` besides scoring, {LESIONS:,} lesions of {scores['patient_id'].n_unique():,} patients.",
        ("step", "seconds"),
        [(step, f"{taken:.1f}") for step, taken in seconds.items()],
    )
