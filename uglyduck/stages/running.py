"""The stages of a run, in order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import InputError
from submissions.run_folder import RunFolder
from uglyduck.run.config import load_config, with_compute, write_config
from uglyduck.run.run import Run
from uglyduck.stages.checking import check_before_running
from uglyduck.stages.features import FEATURES
from uglyduck.stages.folds import FOLDS
from uglyduck.stages.images import IMAGES
from uglyduck.stages.lesions import LESIONS
from uglyduck.stages.metrics import METRICS
from uglyduck.stages.models import MODELS
from uglyduck.stages.scores import SCORES

STAGES = (LESIONS, FOLDS, IMAGES, FEATURES, MODELS, SCORES, METRICS)


@contextmanager
def filling(config: Path, out: Path | None = None, **compute: str | None) -> Iterator[Run]:
    """Lock a run's folder, check its configuration, and write the configuration there.

    Args:
        config: TOML configuration.
        out: Run folder; by default runs/NAME next to the configuration.
        compute: See `with_compute`.

    Raises:
        InputError: As in `load_config` and `check_before_running`.
    """
    settings = load_config(config)
    run = Run(with_compute(settings, **compute), RunFolder(out or config.parent / "runs" / config.stem))
    with run.folder.filled():
        check_before_running(run)
        write_config(settings, run.folder.config)
        yield run


def run_stages(run: Run, *, until: str | None = None) -> None:
    """Run every stage whose fingerprint no longer holds, in order.

    Args:
        run: Configuration and folder; the caller holds the folder's lock.
        until: Last stage to run; None for all.

    Raises:
        InputError: `until` names no stage, or a stage refuses its input.
    """
    names = [stage.name for stage in STAGES if stage.applies(run)]
    if until is not None and until not in names:
        raise InputError(f"there is no stage {until!r}", where="--until", remedy=f"use one of {', '.join(names)}")
    for stage in STAGES:
        if not stage.applies(run):
            run.manifest.forget(stage.name)
            continue
        stage.run(run)
        if stage.name == until:
            break
