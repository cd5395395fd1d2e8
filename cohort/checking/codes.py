"""Every check of data, by code."""

from cohort.checking.contents import CONSTANT, IMPLAUSIBLE, MISSING, ONE_CLASS, PREVALENCE, SINGLE, TELLING
from cohort.checking.folder import SAMPLE, SHARED_LESIONS, SHARED_PATIENTS, UNSEEN
from cohort.checking.images import DAMAGED, NO_CROP, NO_LESION
from cohort.checking.relations import RELATIONS_BROKEN
from cohort.checking.table import BAD_CELL, NO_COLUMN, UNREADABLE
from cohort.duplicates import CONFLICTS, DUPLICATES
from cohort.findings import Check
from cohort.reading import ABSENT_COLUMNS, UNKNOWN_COLUMNS
from cohort.rows import HABITS, UNGROUPED, UNLABELLED
from cohort.rules import ROW_CHECKS

DATA_CHECKS: tuple[Check, ...] = (
    *(UNREADABLE, NO_COLUMN, BAD_CELL),
    *ROW_CHECKS,
    *(UNKNOWN_COLUMNS, DUPLICATES, CONFLICTS, UNGROUPED, ABSENT_COLUMNS, HABITS, UNLABELLED),
    *(MISSING, IMPLAUSIBLE, RELATIONS_BROKEN, CONSTANT, SINGLE, PREVALENCE, ONE_CLASS, TELLING),
    *(SHARED_LESIONS, SHARED_PATIENTS, UNSEEN, SAMPLE),
    *(DAMAGED, NO_CROP, NO_LESION),
)
"""In the order of their codes; a code is never reused for another check."""
