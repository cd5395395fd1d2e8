"""The group `image`: scores and embeddings of any image model, by themselves and against the patient's other lesions.

Embeddings of two networks, even of two folds of one model, lie in spaces that cannot be compared. Out of fold, a lesion
has one embedding, from the same fold's network as the patient's others. A new lesion has one from every fold's network:
each is compared within the patient first, then the features are averaged. Each of several models (`embedding_of_NAME`)
has its own features.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from features.arithmetic.nearest import centre
from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.comparison import Comparison
from features.patients.forms import FORM_OF
from features.patients.image_tables import EMBEDDING_PREFIX, SCORE_PREFIX, embedding_matrix, logit
from features.patients.state import FeatureState

_OF_MODEL = re.compile(r"embedding_of_(.+?)(_fold\d+)?(_seed\d+)?")
_RELATIVE = ("z", "loo", "robust", "rank", "gap")


def image_logit(block: Block, score: str) -> Floats:
    """Logit (n,) of the score column `score`."""
    return logit(block.number(SCORE_PREFIX + score))


def image_scores(columns: Collection[str]) -> list[str]:
    """Names of the score columns among `columns`, as in the image table."""
    return [name.removeprefix(SCORE_PREFIX) for name in columns if name.startswith(SCORE_PREFIX)]


def _describe(columns: Collection[str]) -> list[FeatureSpec]:
    specs = [spec for score in image_scores(columns) for spec in _score_specs(score)]
    embeddings = tuple(name for name in columns if name.startswith(EMBEDDING_PREFIX))
    models = dict.fromkeys(_model_of(name) for name in embeddings)
    for model in models:
        own = tuple(name for name in embeddings if _model_of(name) == model)
        specs.extend(_embedding_specs(model, own))
    return specs


def _model_of(embedding: str) -> str:
    """The model of an embedding column: "", or NAME in `embedding_of_NAME`, with or without fold and seed."""
    found = _OF_MODEL.fullmatch(embedding.removeprefix(EMBEDDING_PREFIX))
    return found[1] if found else ""


def _embedding_feature(model: str, form: str) -> str:
    return f"image_{model}_embedding_{form}" if model else f"image_embedding_{form}"


def _score_specs(score: str) -> Iterator[FeatureSpec]:
    needs, missing = (SCORE_PREFIX + score,), f"the image table lacks the lesion or its {score}"
    entries = [
        (f"image_{score}", "score", score, "the image model"),
        (f"image_{score}_logit", "score", f"ln(p / (1 - p)), p = {score} held in [1e-7, 1 - 1e-7]", "uglyduck"),
        (f"image_{score}_over_mean", "relative", f"{score} / mean of {score} in the patient", "ISIC 2024, first place"),
        (f"image_{score}_over_rest", "relative", f"{score} - largest {score} of the patient's others", "ISIC 2024"),
    ]
    for part in _RELATIVE:
        form = FORM_OF[part]
        words = form.formula.format(x=f"logit of {score}", scope="the patient")
        entries.append((f"image_{score}_{part}", "relative", words, form.source))
    for name, part, formula, source in entries:
        yield FeatureSpec(name, "image", part, "numeric", formula, "", source, missing, needs)


def _embedding_specs(model: str, needs: tuple[str, ...]) -> Iterator[FeatureSpec]:
    missing = "the image table lacks the lesion or its embedding"
    for name, formula, source in (
        ("distance", "Euclidean distance to the mean embedding of the patient's other lesions, 0 if alone", "uglyduck"),
        ("ratio", "the distance to the others' mean embedding / its mean over the patient, 1 if alone", "uglyduck"),
        ("cosine", "1 - cosine to the mean embedding of the patient's lesions", "ISIC 2024 solutions"),
    ):
        whole = f"{formula}; the mean over the networks that embedded the lesion"
        yield FeatureSpec(
            _embedding_feature(model, name), "image", "embedding", "numeric", whole, "", source, missing, needs
        )


def _compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    compared: dict[str, Comparison] = {}
    for spec in wanted:
        if spec.part == "embedding":
            continue
        score = spec.needs[0].removeprefix(SCORE_PREFIX)
        if score not in compared:
            compared[score] = Comparison(block.patients, image_logit(block, score), state.prior(SCORE_PREFIX + score))
        yield spec.name, _of_score(block, score, spec.name.removeprefix(f"image_{score}").lstrip("_"), compared[score])
    embedded = [spec for spec in wanted if spec.part == "embedding"]
    for needs in dict.fromkeys(spec.needs for spec in embedded):
        values = _mean_over_networks(block, needs)
        own = (spec for spec in embedded if spec.needs == needs)
        yield from ((spec.name, values[spec.name.rpartition("_")[2]]) for spec in own)


def _of_score(block: Block, score: str, form: str, own: Comparison) -> Floats:
    values = block.number(SCORE_PREFIX + score)
    if form in FORM_OF:
        return FORM_OF[form].compute(own)
    plain = Comparison(block.patients, values, own.prior)
    if form == "over_mean":
        mean = block.patients.spread(plain.moments.mean)
        ratio: Floats = np.full(values.size, np.nan)
        return np.divide(values, mean, out=ratio, where=mean > 0)
    if form == "over_rest":
        return _over_rest(plain)
    return own.values if form == "logit" else values


def _over_rest(own: Comparison) -> Floats:
    """Value minus the largest of the patient's others; 0 for a lone lesion."""
    last = own.moments.count.astype(np.intp) - 1
    first, second = own.ordered.at(last), own.ordered.at(last - 1)
    result = own.values - own.segments.spread(first)
    some = last >= 0
    result[own.ordered.rows[(own.segments.starts + last)[some]]] = (first - second)[some]
    return result


def _mean_over_networks(block: Block, embeddings: Sequence[str]) -> dict[str, Floats]:
    """Each embedding feature (n,), averaged over the embedding columns that have the lesion."""
    total, count = np.zeros((3, block.size)), np.zeros(block.size)
    for name in embeddings:
        known, values = _within_patients(block, embedding_matrix(block.frame[name]))
        total[:, known] += values[:, known]
        count += known
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return dict(zip(("distance", "ratio", "cosine"), mean, strict=True))


def _within_patients(block: Block, matrix: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Which lesions have an embedding (n,), and their distance, ratio and cosine to the patient's others (3, n)."""
    known = np.asarray(~np.isnan(matrix).any(axis=1), dtype=np.bool_)
    values = np.zeros((3, block.size))
    for start, size in zip(block.patients.starts.tolist(), block.patients.sizes.tolist(), strict=True):
        rows = start + np.flatnonzero(known[start : start + size])
        if not rows.size:
            continue
        points = matrix[rows]
        apart = np.sqrt((centre(points) ** 2).sum(axis=1))
        mean = apart.mean()
        values[0, rows] = apart * (rows.size / max(rows.size - 1, 1))
        values[1, rows] = apart / mean if mean > 0 else 1.0
        values[2, rows] = _cosine_distance(points) if mean > 0 else 0.0
    return known, values


def _cosine_distance(points: Floats) -> Floats:
    """1 - cosine (n,) between each of `points` (n, d) and their mean; 0 if either is 0."""
    middle = points.mean(axis=0)
    length = np.sqrt((points**2).sum(axis=1)) * np.sqrt((middle**2).sum())
    along = np.divide((points * middle).sum(axis=1), length, out=np.ones_like(length), where=length > 0)
    return np.asarray(1.0 - along, dtype=np.float64)


IMAGE = Group("image", "Scores and embeddings of image models, and against the patient's others.", _describe, _compute)
