"""What each file of a bundle holds, for anyone who must know what leaves their machine."""

from __future__ import annotations

import re

# The first match counts. Texts say what stems from the training lesions, since that is what a reader looks for.
_HOLDS = {
    r"MANIFEST\.json": "SHA-256 of every file, versions of libraries, share malignant, quantiles of scores out of fold",
    r"requirements\.txt": "libraries and their versions",
    r"dataset-metadata\.json|kernel/kernel-metadata\.json": "the account and the names that you gave",
    r"kernel/.*": "the program that scores",
    r"wheels/uglyduck_triage-.*": "this package",
    r"wheels/.*": "a library, as its authors publish it",
    r"run/manifest\.json": "SHA-256 of the run's files and of your table, versions, the system's name",
    r"run/features\.json": "definitions of features; means, spreads and category names of the training lesions",
    r"run/(.*blend|calibration|table-alone)\.json": "weights of learners, calibration",
    r"run/models/manifest\.json": "names of features and categories, SHA-256 of models",
    r"run/models/.*\.(txt|ubj|cbm)": "trees: borders between values of training lesions, sums over many of them",
    r"run/models/.*": "weights, means and spreads of training lesions",
    r"run/images/.*\.npz": "trees over numbers of crops; support vectors: such numbers of single training crops, no id",
    r"run/images/.*\.safetensors": "weights of a network or of a head on its features",
    r"run/images/.*": "settings of image models, SHA-256 of the training crops as a whole",
}


def held_by(name: str) -> str:
    """What a file holds, in words.

    Args:
        name: Its path in the bundle.
    """
    return next(words for pattern, words in _HOLDS.items() if re.fullmatch(pattern, name))
