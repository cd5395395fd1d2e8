"""How a table is recognised by its columns, and which it must have."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence

from cohort.dataset import Dataset
from cohort.datasets import DATASETS
from cohort.mapping import WHERE
from engine.errors import InputError, shorten

_SUGGEST = "`uglyduck check TABLE --suggest` prints a mapping of its columns to try"


def recognise(header: Sequence[str], *, where: str) -> Dataset:
    """The dataset whose columns a table has.

    The one with the most of its columns among `header` wins, its key counting twice; without the key at least half of
    its required columns must be there, so that a misspelt key is reported as such.

    Raises:
        InputError: The columns are those of no known dataset.
    """
    present = set(header)

    def score(dataset: Dataset) -> int:
        return sum(field.source in present for field in dataset.fields) + (dataset.key in present)

    best = max((one for one in DATASETS if present.issuperset(one.marks)), key=score)
    required = [field.source for field in best.fields if field.required]
    if best.key in present or 2 * len(present.intersection(required)) >= len(required):
        return best
    raise InputError(
        f"these are the columns of no known dataset: {shorten(header)}",
        where=where,
        remedy=f"name under {WHERE} what it calls ours; {_SUGGEST}",
    )


def require_columns(
    dataset: Dataset, header: Sequence[str], *, where: str, ungrouped: bool, only: Collection[str] | None = None
) -> None:
    """Refuse a table without its key, its patients or its one-hot labels, or with a misspelt column.

    Any other column may be absent. An ungrouped table needs no patients; if `only` names canonical columns, others
    may be misspelt.

    Raises:
        InputError: A column is missing; the message names the nearest unknown one.
    """
    needed = {"key", "label"} if ungrouped or dataset.patients else {"key", "label", "patient"}
    required = [field for field in dataset.fields if field.required and field.column.role in needed]
    missing = [field.source for field in required if field.source not in header]
    if missing:
        first, others, near = missing[0], len(missing) - 1, nearest(missing[0], dataset, header)
        also = f", and {others} more ({shorten(missing[1:])})" if others else ""
        strange = 2 * sum(field.source in header for field in dataset.fields) < len(header)
        raise InputError(
            f"column {first} is missing{also}{near}",
            where=where,
            remedy=f"{dataset.title} needs it: {_way_out(dataset, near)}"
            + (", or read the table as ungrouped" if first == dataset.patient else "")
            + (f"; if the table is another, {_SUGGEST}" if strange else ""),
        )
    for name in absent(dataset, header, only):
        if found := _misspelt(name, dataset, header):
            raise InputError(
                f"column {name} is missing, the nearest column is {found!r}", where=where, remedy=f"rename it to {name}"
            )


def _way_out(dataset: Dataset, near: str) -> str:
    if dataset.name == "own":
        return f"name it under {WHERE} as the file does"
    return "rename the column" if near else "add it, or use the official file"


def absent(dataset: Dataset, header: Sequence[str], only: Collection[str] | None = None) -> list[str]:
    """Columns that the dataset's features need but a table lacks, as a file spells them, in official order."""
    features = [field for field in dataset.fields if field.required and field.column.role in {"numeric", "category"}]
    return [
        field.source for field in features if field.source not in header and (only is None or field.column.name in only)
    ]


def _misspelt(name: str, dataset: Dataset, header: Sequence[str]) -> str | None:
    """The unknown column that differs from `name` in capitals, spaces and punctuation only."""
    known = {field.source for field in dataset.fields}
    return next((column for column in header if column not in known and _bare(column) == _bare(name)), None)


def _bare(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def nearest(name: str, dataset: Dataset, header: Sequence[str]) -> str:
    """A clause that names the unknown column nearest to `name`; empty if none is near."""
    known = {field.source for field in dataset.fields}
    strangers = {column.strip().lower(): column for column in header if column not in known}
    close = difflib.get_close_matches(name.lower(), list(strangers), n=1, cutoff=0.6)
    return f", the nearest column is {strangers[close[0]]!r}" if close else ""
