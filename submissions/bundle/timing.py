"""How long the crops of a hidden test set will take, and which image models fit into a stated time."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from engine.progress import listening
from submissions.fitted_run import FittedRun
from submissions.image_models import ImageModel


def seconds_per_crop(fitted: FittedRun, model: ImageModel, crops: Path, ids: pl.Series) -> float:
    """Score crops by one image model of a run, and time it between its reports, without start-up and shutdown.

    Args:
        fitted: The run.
        model: The image model.
        crops: Store of the crops.
        ids: Crops to score: a few hundred, at least one.

    Raises:
        InputError: The crops cannot be read, or the model needs a library that is not installed.
    """
    heard = [(time.perf_counter(), 0)]
    with listening(lambda _title, done, _total: heard.append((time.perf_counter(), done))):
        timed = replace(fitted, image_models=[model], compute=replace(fitted.compute, remember=False))
        timed.image_table(ids, crops=crops)
    begun, done = next((each for each in heard[1:] if each[1] < len(ids)), heard[0])
    return (heard[-1][0] - begun) / (len(ids) - done)


def beyond(budget: float, seconds: Mapping[str, float], usefulness: Mapping[str, float]) -> list[str]:
    """Image models to leave out so that the others stay within a budget, the least useful first.

    Args:
        budget: Seconds for all crops.
        seconds: Time for all crops, by image model.
        usefulness: Weight of each image model in their blend.
    """
    left: list[str] = []
    for name in sorted(seconds, key=lambda name: usefulness[name]):
        if sum(taken for other, taken in seconds.items() if other not in left) <= budget:
            break
        left.append(name)
    return left
