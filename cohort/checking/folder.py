"""How the train table, the test table and the sample submission of a folder fit together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from cohort.column import CATEGORY
from cohort.columns import CATEGORICAL
from cohort.findings import Check, Finding
from cohort.official_files import find_file
from cohort.reading import Cohort
from cohort.tables import read_text_columns
from engine.errors import InputError

SHARED_LESIONS = Check("UD131", "test lesions that are in the train table too", "error")
SHARED_PATIENTS = Check("UD132", "patients who are in train and test", "warning")
UNSEEN = Check("UD133", "categories of the test table that train never shows", "info")
SAMPLE = Check("UD134", "a sample submission whose ids are not those of the test table", "error")


def check_pair(folder: Path, train: Cohort | None, test: Cohort | None) -> Iterator[Finding]:
    """Findings about a train and a test table side by side; None stands for one that is absent or unreadable."""
    if train is None or test is None:
        reason = "this needs a readable train table and a readable test table"
        for check in (SHARED_LESIONS, SHARED_PATIENTS, UNSEEN):
            yield check.not_applicable(reason, where=folder.name)
    else:
        yield _shared(SHARED_LESIONS, train, test, "isic_id", folder.name)
        yield _shared(SHARED_PATIENTS, train, test, "patient_id", folder.name)
        yield _unseen(train.frame, test.frame, folder.name)
    yield _sample(find_file(folder, "sample_submission"), test, folder.name)


def _shared(check: Check, train: Cohort, test: Cohort, key: str, where: str) -> Finding:
    ours = test.frame[key].unique()
    shared = sorted(set(ours) & set(train.frame[key]))
    if not shared:
        return check.clear(f"none of {len(ours)}", where=where)
    return check.found(f"{len(shared)} of {len(ours)}, the first is {shared[0]}", where=where, shared=len(shared))


def _unseen(train: pl.DataFrame, test: pl.DataFrame, where: str) -> Finding:
    new = {
        name: sorted(set(test[name].drop_nulls()) - set(train[name]))
        for name in train.columns
        if (name in CATEGORICAL or name.startswith(CATEGORY)) and name in test.columns
    }
    new = {name: levels for name, levels in new.items() if levels}
    if not new:
        return UNSEEN.clear("none", where=where)
    rows = len(test.filter(pl.any_horizontal(pl.col(name).is_in(levels) for name, levels in new.items())))
    listed = "; ".join(f"{name}: {', '.join(levels[:3])}" for name, levels in new.items())
    return UNSEEN.found(f"in {rows} of {len(test)} rows, {listed}", where=where, levels=new, rows=rows)


def _sample(path: Path | None, test: Cohort | None, where: str) -> Finding:
    if path is None or test is None:
        return SAMPLE.not_applicable("this needs a sample submission and a readable test table", where=where)
    try:
        ids = read_text_columns(path, ("isic_id", "target"))[1]["isic_id"].to_list()
    except InputError as error:
        return SAMPLE.found(str(error), where=path.name)
    expected = set(test.given_order)
    missing, surplus, repeated = expected - set(ids), set(ids) - expected, len(ids) - len(set(ids))
    if missing or surplus or repeated:
        measured = f"{len(missing)} test ids are missing, {len(surplus)} are not in the test table, {repeated} repeated"
        return SAMPLE.found(measured, where=path.name, missing=len(missing), surplus=len(surplus), repeated=repeated)
    order = "in the same order" if ids == test.given_order.to_list() else "in another order"
    return SAMPLE.clear(f"all {len(ids)} ids, {order}", where=path.name)
