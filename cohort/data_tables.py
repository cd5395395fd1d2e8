"""The tables of `docs/data.md`, made from the column specifications and checks so that the two cannot differ.

`python -m cohort.data_tables docs/data.md` writes them between their markers.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from cohort.cells import MISSING
from cohort.checking.codes import DATA_CHECKS
from cohort.column import Column
from cohort.columns import NEVER_FEATURES
from cohort.dataset import Dataset
from cohort.datasets import DATASETS
from cohort.findings import Check
from engine.files import atomic_path

_ROLES = {
    "key": "id",
    "patient": "patient",
    "label": "label",
    "train_only": "train only",
    "licence": "licence",
    "constant": "constant",
    "numeric": "feature, number",
    "category": "feature, category",
}


def columns_table(dataset: Dataset) -> str:
    """A Markdown table of a dataset's canonical columns: names, role, unit, plausible range, meaning."""
    rows = [
        (
            f"`{column.name}`",
            f"`{dataset.source(column.name)}`" if dataset.source(column.name) != column.name else "",
            _ROLES[column.role],
            str(column.dtype),
            column.unit,
            _range(column),
            column.description.replace("|", "\\|"),
        )
        for column in dataset.columns
    ]
    return _markdown(("column", "in the file as", "role", "dtype", "unit", "plausible range", "meaning"), rows)


def datasets_table() -> str:
    """A Markdown table of the datasets: key, patient, which rows are malignant and who says so."""
    rows = [(one.title, f"`{one.key}`", _patient(one), one.because) for one in DATASETS]
    return _markdown(("table", "key", "a patient is", "malignant are, and why"), rows)


def _patient(dataset: Dataset) -> str:
    names = dict.fromkeys(dataset.source(name) for name in dataset.patients or ("patient_id",))
    if dataset.patient is None and not dataset.patients:
        return "a lesion, from a second file"
    return ", else ".join(f"`{name}`" for name in names)


def checks_table(checks: Iterable[Check]) -> str:
    """A Markdown table of checks: code, severity, what is looked for."""
    return _markdown(
        ("code", "severity", "looked for"), ((check.code, check.severity, check.title) for check in checks)
    )


def fill(text: str) -> str:
    """`text` with the content between `<!-- NAME -->` and `<!-- end -->` regenerated, for every known NAME.

    Known are `datasets`, `columns:DATASET`, `checks`, `missing` (spellings of a missing value) and `never` (never
    features).
    """
    blocks = {f"columns:{dataset.name}": columns_table(dataset) for dataset in reversed(DATASETS)}
    blocks["datasets"] = datasets_table()
    blocks["checks"] = checks_table(DATA_CHECKS)
    blocks["missing"] = _listed(spelling or "(an empty cell)" for spelling in MISSING)
    blocks["never"] = _listed(sorted(NEVER_FEATURES))
    for name, block in blocks.items():
        between = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        text = between.sub(lambda match, block=block: f"{match[1]}{block}\n{match[2]}", text)  # type: ignore[misc]
    return text


def _range(column: Column) -> str:
    return "" if column.low is None or column.high is None else f"{column.low:g} to {column.high:g}"


def _markdown(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *(list(row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    _path = Path(sys.argv[1])
    _filled = fill(_path.read_text("utf-8"))
    with atomic_path(_path) as _temporary:
        _temporary.write_text(_filled, "utf-8")
