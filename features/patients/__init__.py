"""A block of whole patients: the numbers of its lesions, and comparisons shrunk towards the cohort."""
