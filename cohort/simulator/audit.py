"""The audit: every published figure of the table beside the simulated one, within the stated bounds."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from cohort.columns import SLICE3D
from cohort.errors import InputError
from cohort.simulator import audit_columns, audit_structure
from cohort.simulator.calibration import published
from cohort.simulator.findings import Finding

FULL_SIZE = 401_059
"""The bounds are stated for this many lesions; the figures of smaller cohorts scatter more."""


def audit_table(frame: pl.DataFrame, *, slack: float = 1.0) -> list[Finding]:
    """Compare a labelled SLICE-3D table with the published figures.

    Args:
        frame: The 55 official columns with the dtypes of `cohort.columns`.
        slack: Factor on the tolerances that shrink with the number of lesions; 1 at full size.

    Returns:
        One finding a figure. Exact relations and rules have no slack, binomial bounds follow the number of lesions.
    """
    facts = published()
    return [
        *audit_columns.quantiles(frame, facts, slack),
        *audit_columns.zeros(frame, facts, slack),
        *audit_columns.univariate(frame, facts, slack),
        *audit_columns.correlations(frame, facts, slack),
        *audit_structure.relations(frame),
        *audit_structure.categories(frame, facts, slack),
        *audit_structure.malignant_counts(frame, facts),
        *audit_structure.patients(frame, facts, slack),
        *audit_structure.tagging(frame, facts, slack),
        *audit_structure.ugly_ducklings(frame, facts, slack),
    ]


def read_table(path: Path) -> pl.DataFrame:
    """Read a written train-metadata.csv for the audit, as it is.

    Raises:
        InputError: There is no such file, or it is not the table that the simulator writes.
    """
    schema = {column.name: column.dtype for column in SLICE3D}
    try:
        return pl.read_csv(path, schema=schema, null_values={"age_approx": "NA"})
    except FileNotFoundError as error:
        raise InputError("no such file", where=str(path), remedy="simulate first, or check the path") from error
    except (pl.exceptions.ComputeError, pl.exceptions.SchemaError, pl.exceptions.NoDataError) as error:
        raise InputError(f"not a simulated table ({error})", where=str(path), remedy="simulate again") from error
