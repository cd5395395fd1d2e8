"""What can be checked before a run's first stage: a mistake is found now, not after hours of training."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import polars as pl

from cohort.reading import open_tables, recognise_table, require_labels, require_mapped
from cohort.stores.opening import open_store
from cv_folds.folds import check_parameters
from engine.errors import InputError, within
from engine.files import refuse_special
from features.patients.image_tables import joined_names
from features.registry import check_switches, dictionary, own_features
from uglyduck.run.config import input_key, input_paths
from uglyduck.run.members import configured_members
from uglyduck.run.run import Run
from uglyduck.stages.images import check_recipes
from uglyduck.stages.metrics import OPTIMUM


def check_before_running(run: Run) -> None:
    """Refuse what a stage would refuse later, as far as this can be seen without reading whole tables or training.

    Raises:
        InputError: A file is missing or of the wrong kind, a name or a setting is unknown, settings contradict each
            other, or a library is missing.
    """
    folds, settings = run.config.folds, run.config.ensemble
    with within("[folds]"):
        check_parameters(folds.scheme, folds.n_folds, folds.n_repeats, folds.seed)
    dictionary((), run.feature_groups)
    configured_members(settings, settings.fusion)
    for name, member in settings.members.items():
        _check_groups(member.groups or (), run, where=f"[ensemble.members.{name}] groups")
    if run.config.compute.engine == "ray" and find_spec("ray") is None:
        raise InputError("Ray is not installed", where="[compute] engine", remedy="install it: pip install ray")
    _check_files(run)
    check_recipes(run)


def _check_groups(wanted: tuple[str, ...], run: Run, *, where: str) -> None:
    """Refuse groups, or parts of groups, that the run does not build."""
    own = [f"own.{one.name}" for one in own_features(run.feature_groups)]
    built = [*run.feature_groups, *own]
    check_switches(wanted, own=["own", *own] if own else (), where=where)
    for group in wanted:
        if not any(f"{group}.".startswith(f"{each}.") or f"{each}.".startswith(f"{group}.") for each in built):
            raise InputError(
                f"the run builds no features of {group}", where=where, remedy="add it to [features] groups"
            )


def _check_files(run: Run) -> None:
    for name, path in input_paths(run.config).items():
        if not path.exists():
            raise InputError("no such file or folder", where=f"{input_key(name)} = {path}", remedy="check the path")
    data = run.config.data
    if data.images is not None:
        open_store(data.images).close()
    _check_extra_tables(run)
    if data.image_scores is not None:
        schema = _schema(data.image_scores, "image_scores", "give a table of isic_id, score[, embedding]")
        with within("[data] image_scores"):
            names = joined_names(schema)
        _check_image_groups([*names.values()], run)
    if data.truth is not None:
        found = _schema(data.truth, "truth", _TRUTH)
        if not {"isic_id", *OPTIMUM.values()} <= set(found):
            raise InputError("not the truth of a cohort", where=f"[data] truth = {data.truth}", remedy=_TRUTH)


def _check_extra_tables(run: Run) -> None:
    for name, model in run.config.image_models.items():
        for table, extra in model.extra.items():
            with within(f"[images.{name}.extra.{table}]"):
                open_store(extra.images).close()
                opened = open_tables(extra.metadata, extra.join or None)
                dataset = recognise_table(opened, ungrouped=True, columns=extra.mapping)
                require_mapped(extra.mapping, dataset, opened)
                require_labels(dataset, opened)


def _check_image_groups(columns: list[str], run: Run) -> None:
    """Refuse image groups that this image table has nothing for, such as scores if it has only embeddings."""
    wanted = [group for group in run.feature_groups if group.partition(".")[0] == "image"]
    if wanted and not dictionary(columns, wanted):
        there = dict.fromkeys(spec.switch for spec in dictionary(columns, ["image"]))
        raise InputError(
            f"the table of image scores has nothing for {', '.join(wanted)}",
            where="[features] groups",
            remedy=f"name what it has something for: {', '.join(there)}",
        )


_TRUTH = "name the truth.parquet next to the simulated tables, or leave it out"


def _schema(path: Path, key: str, remedy: str) -> pl.Schema:
    with within(f"[data] {key}"):
        refuse_special(path)
    try:
        return pl.Schema(pl.read_parquet_schema(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError("not a readable Parquet file", where=f"[data] {key} = {path}", remedy=remedy) from error
