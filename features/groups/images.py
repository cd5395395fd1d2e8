"""The group `image`: scores and embeddings of any image model, by themselves and against the patient's other lesions.

A table `isic_id, score…[, embedding]` is joined to the frame under names that start with `image:`. Every numeric column
that is not a key, a label or a fold is a score; `embedding` is a list or an array of numbers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from features.arithmetic.nearest import centre
from features.arithmetic.segments import Floats
from features.groups.group import Group
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.comparison import Standing
from features.patients.forms import FORMS
from features.patients.image_tables import EMBEDDING, PREFIX, embedding_matrix, logit
from features.patients.state import FeatureState

_FORM_OF = {form.part: form for form in FORMS}
_RELATIVE = ("z", "loo", "robust", "rank", "gap")


def image_logit(block: Block, score: str) -> Floats:
    """Logit (n,) of the score column `score`."""
    return logit(block.number(PREFIX + score))


def image_scores(columns: Collection[str]) -> list[str]:
    """Names of the score columns among `columns`, as the image table has them."""
    return [name.removeprefix(PREFIX) for name in columns if name.startswith(PREFIX) and name != EMBEDDING]


def _describe(columns: Collection[str]) -> list[FeatureSpec]:
    specs = [spec for score in image_scores(columns) for spec in _score_specs(score)]
    return [*specs, *_EMBEDDING_SPECS] if EMBEDDING in columns else specs


def _score_specs(score: str) -> Iterator[FeatureSpec]:
    needs, missing = (PREFIX + score,), f"the image table lacks the lesion or its {score}"
    entries = [
        (f"image_{score}", "score", score, "the image model"),
        (f"image_{score}_logit", "score", f"ln(p / (1 - p)), p = {score} held in [1e-7, 1 - 1e-7]", "uglyduck"),
        (f"image_{score}_over_mean", "relative", f"{score} / mean of {score} in the patient", "ISIC 2024, first place"),
        (f"image_{score}_over_rest", "relative", f"{score} - largest {score} of the patient's others", "ISIC 2024"),
    ]
    for part in _RELATIVE:
        form = _FORM_OF[part]
        words = form.formula.format(x=f"logit of {score}", scope="the patient")
        entries.append((f"image_{score}_{part}", "relative", words, form.source))
    for name, part, formula, source in entries:
        yield FeatureSpec(name, "image", part, "numeric", formula, "", source, missing, needs)


_EMBEDDING_SPECS = tuple(
    FeatureSpec(
        f"image_embedding_{name}",
        "image",
        "embedding",
        "numeric",
        formula,
        "",
        source,
        "the image table lacks the lesion or its embedding",
        (EMBEDDING,),
    )
    for name, formula, source in (
        ("distance", "Euclidean distance to the mean embedding of the patient's other lesions, 0 if alone", "uglyduck"),
        ("ratio", "image_embedding_distance / its mean over the patient, 1 if alone", "uglyduck"),
        ("cosine", "1 - cosine to the mean embedding of the patient's lesions", "ISIC 2024 solutions"),
    )
)


def _compute(block: Block, state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    kept: dict[str, Standing] = {}
    for spec in wanted:
        if spec.part == "embedding":
            continue
        score = spec.needs[0].removeprefix(PREFIX)
        if score not in kept:
            kept[score] = Standing(block.patients, image_logit(block, score), state.prior(PREFIX + score))
        yield spec.name, _of_score(block, score, spec.name.removeprefix(f"image_{score}").lstrip("_"), kept[score])
    names = {spec.name for spec in wanted if spec.part == "embedding"}
    if names:
        yield from ((name, values) for name, values in _of_embedding(block).items() if name in names)


def _of_score(block: Block, score: str, form: str, own: Standing) -> Floats:
    values = block.number(PREFIX + score)
    if form in _FORM_OF:
        return _FORM_OF[form].compute(own)
    plain = Standing(block.patients, values, own.prior)
    if form == "over_mean":
        mean = block.patients.spread(plain.moments.mean)
        ratio: Floats = np.full(values.size, np.nan)
        return np.divide(values, mean, out=ratio, where=mean > 0)
    if form == "over_rest":
        return _over_rest(plain)
    return own.values if form == "logit" else values


def _over_rest(own: Standing) -> Floats:
    """Value minus the largest of the patient's others; 0 for a lesion alone."""
    last = own.moments.count.astype(np.intp) - 1
    first, second = own.ordered.at(last), own.ordered.at(last - 1)
    result = own.values - own.segments.spread(first)
    some = last >= 0
    result[own.ordered.rows[(own.segments.starts + last)[some]]] = (first - second)[some]
    return result


def _of_embedding(block: Block) -> dict[str, Floats]:
    matrix = embedding_matrix(block.frame[EMBEDDING])
    known = np.asarray(~np.isnan(matrix).any(axis=1), dtype=np.bool_)
    distance, ratio, cosine = (np.full(block.size, np.nan) for _ in range(3))
    for start, size in zip(block.patients.starts.tolist(), block.patients.sizes.tolist(), strict=True):
        rows = start + np.flatnonzero(known[start : start + size])
        if not rows.size:
            continue
        points = matrix[rows]
        apart = np.sqrt((centre(points) ** 2).sum(axis=1))
        distance[rows] = apart * (rows.size / max(rows.size - 1, 1))
        mean = apart.mean()
        ratio[rows] = apart / mean if mean > 0 else 1.0
        cosine[rows] = _cosine_distance(points) if mean > 0 else 0.0
    return {
        "image_embedding_distance": distance,
        "image_embedding_ratio": ratio,
        "image_embedding_cosine": cosine,
    }


def _cosine_distance(points: Floats) -> Floats:
    """1 - cosine (n,) between each of `points` (n, d) and their mean; 0 where one of the two is 0."""
    middle = points.mean(axis=0)
    length = np.sqrt((points**2).sum(axis=1)) * np.sqrt((middle**2).sum())
    along = np.divide((points * middle).sum(axis=1), length, out=np.ones_like(length), where=length > 0)
    return np.asarray(1.0 - along, dtype=np.float64)


IMAGE = Group("image", "Scores and embeddings of image models, and against the patient's others.", _describe, _compute)
