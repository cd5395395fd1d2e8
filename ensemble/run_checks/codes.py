"""Every check of a run, by code."""

from cohort.findings import Check
from ensemble.run_checks.baseline import NOT_BETTER
from ensemble.run_checks.calibration import MISCALIBRATED
from ensemble.run_checks.crops import PRESENCE
from ensemble.run_checks.files import CHANGED, NO_MODEL
from ensemble.run_checks.hospital import TELLTALE
from ensemble.run_checks.image_hospital import IMAGE_HOSPITAL
from ensemble.run_checks.leaks import FORBIDDEN, SPLIT_PATIENT, WRONG_LESIONS
from ensemble.run_checks.new_lesions import OTHER_SCALE, SHIFTED
from ensemble.run_checks.single_feature import DOMINANT, SMALL_LESIONS
from ensemble.run_checks.stability import BY_FOLD, BY_SEED
from ensemble.run_checks.weights import EDGE_WEIGHT

RUN_CHECKS: tuple[Check, ...] = (
    *(SPLIT_PATIENT, FORBIDDEN, WRONG_LESIONS, CHANGED, NO_MODEL),
    *(DOMINANT, SMALL_LESIONS, NOT_BETTER, BY_FOLD, BY_SEED),
    *(EDGE_WEIGHT, TELLTALE, MISCALIBRATED, SHIFTED, OTHER_SCALE, PRESENCE),
    IMAGE_HOSPITAL,
)
"""In the order of their codes; a code is never reused for another question."""
