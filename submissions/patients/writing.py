"""A folder of pages: an index of all patients in order of risk, and a page for each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from cohort.stores.protocol import ImageStore
from engine.files import read_json, write_json, write_text
from engine.progress import steps
from submissions.patients.content import any_malignant, in_words, patient_content
from submissions.report.body_map import BANDS
from submissions.report.page import render
from submissions.report.thumbnails import thumbnails
from submissions.shortlist import Shortlist
from submissions.suitability import Caution

INDEX, LIST = "index.html", "patients.json"
_LARGE, _SMALL = 128, 64  # sides of crops on the short list and below it
_PLAIN = re.compile(r"[a-z0-9_-]{1,60}", re.IGNORECASE)


@dataclass(frozen=True)
class Pages:
    """What all pages have in common.

    Attributes:
        about: `run`, `scores`, `simulated` and `prevalence` in words.
        shortlist: Which lesions are listed.
        cautions: How the table differs from training.
        needed: Columns that the models rely on.
        store: Crops; None if there are none.
    """

    about: Mapping[str, Any]
    shortlist: Shortlist
    cautions: Sequence[Caution]
    needed: Collection[str]
    store: ImageStore | None

    def write(self, lesions: pl.DataFrame, out: Path, *, first: int | None, made_from: Mapping[str, str]) -> int:
        """Write the index and the patients' pages; remove earlier pages that are no longer wanted.

        Args:
            lesions: A ranking with reasons and the columns of the canonical frame.
            out: Folder to fill.
            first: Only this many patients get a page; None for all.
            made_from: State of the run.

        Returns:
            How many patients have a page.
        """
        parts = lesions.partition_by("patient_id", maintain_order=True)
        about = {
            **self.about,
            "patients": len(parts),
            "lesions": lesions.height,
            "shortlist": self.shortlist.words(is_all=bool(lesions["shortlist"].all())),
            "cautions": [str(one) for one in self.cautions],
        }
        named = {part["patient_id"][0]: f"patients/{_file_name(part['patient_id'][0])}" for part in parts[:first]}
        step = steps("patients", len(named))
        for part in parts[:first]:
            write_text(self._page(part, about), out / named[part["patient_id"][0]])
            step()
        rows = [self._row(part, named) for part in parts]
        index = render("patients.html.j2", "patients.css", script="search.js", patients=rows, about=about)
        write_text(index, out / INDEX)
        _remove_others(out, set(named.values()))
        write_json({"pages": named, "made_from": dict(made_from)}, out / LIST)
        return len(named)

    def _page(self, part: pl.DataFrame, about: Mapping[str, Any]) -> str:
        listed, others = part.filter("shortlist")["isic_id"], part.filter(~pl.col("shortlist"))["isic_id"]
        pictures: dict[str, str] = {}
        if self.store is not None:
            pictures = thumbnails(self.store, listed, side=_LARGE) | thumbnails(self.store, others, side=_SMALL)
        part = part.with_columns(has_crop=pl.col("isic_id").is_in(list(pictures)))
        patient = patient_content(
            part, shortlist=self.shortlist, cautions=self.cautions, needed=self.needed, crops=self.store is not None
        )
        return render(
            "patient.html.j2", "patients.css", script="patient.js",
            patient=patient, pictures=pictures, about=about, bands=BANDS, words=dict(_dot_labels(patient)),
        )  # fmt: skip

    def _row(self, part: pl.DataFrame, named: Mapping[str, str]) -> dict[str, Any]:
        name, highest = part["patient_id"][0], part["risk"].max()
        risks = {"risk": any_malignant(part), "highest": highest if isinstance(highest, float) else None}
        words = {key: in_words(risk) for key, risk in risks.items()}
        counts = {"lesions": part.height, "listed": int(part["shortlist"].sum())}
        warnings = sum(one.concerns(name) for one in self.cautions)
        return {
            "place": part["patient_rank"][0],
            "patient": name,
            "page": named.get(name),
            **words,
            **counts,
            "warnings": warnings,
        }


def _dot_labels(patient: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    """What a screen reader says for each dot of the short list."""
    for entry in patient["listed"]:
        size = "" if entry["mm"] is None else f", {entry['mm']:.1f} mm"
        risk = "" if entry["risk"] is None else f", risk {entry['risk']['words']}"
        yield entry["rank"], f"Lesion {entry['rank']}{size}{risk}: go to its row"


def _file_name(patient: str) -> str:
    """A name safe on any file system; with a checksum if the id is not, or may differ from another only in case."""
    if _PLAIN.fullmatch(patient) and patient == patient.upper():
        return f"{patient}.html"
    return f"{re.sub('[^A-Za-z0-9_-]', '-', patient)[:40]}-{hashlib.sha256(patient.encode()).hexdigest()[:10]}.html"


def _remove_others(out: Path, kept: Collection[str]) -> None:
    """Remove pages that were written earlier but not this time."""
    before = read_json(out / LIST)["pages"].values() if (out / LIST).is_file() else ()
    for name in set(before) - set(kept):
        if re.fullmatch(r"patients/[A-Za-z0-9_-]+\.html", name):
            (out / name).unlink(missing_ok=True)
