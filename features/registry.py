"""All feature groups, and the dictionary of their features for a table."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

from cohort.column import CATEGORY, NUMBER
from cohort.columns import CATEGORICAL, NEVER_FEATURES, NUMERIC
from engine.errors import InputError
from engine.files import sha256_of
from features.groups.context import CONTEXT
from features.groups.further import FURTHER
from features.groups.group import Group
from features.groups.hospital import HOSPITAL
from features.groups.images import IMAGE
from features.groups.neighbours import NEIGHBOURS
from features.groups.own import OWN, OwnFeature, is_own
from features.groups.scopes import SCOPE_GROUPS
from features.groups.single_lesion import BASIC, ENGINEERED_GROUP, TBP
from features.groups.specs import FeatureSpec
from features.patients.image_tables import EMBEDDING_PREFIX, SCORE_PREFIX

GROUPS: dict[str, Group] = {
    group.name: group
    for group in (BASIC, TBP, FURTHER, ENGINEERED_GROUP, *SCOPE_GROUPS, CONTEXT, NEIGHBOURS, HOSPITAL, IMAGE)
}
"""Every group under its switch."""
ENTRY_POINTS = "uglyduck.features"
"""Entry points through which other packages add groups."""
EXAMPLE_IMAGE_COLUMNS = (f"{SCORE_PREFIX}score", f"{EMBEDDING_PREFIX}embedding")
"""An image table with one score and an embedding, as joined."""
EXAMPLE_FURTHER_COLUMNS = (f"{NUMBER}x", f"{CATEGORY}y")
"""A number and a category that SLICE-3D does not have."""
IMAGE_GROUPS: tuple[str, ...] = ("image.score", "image.relative")
"""What is built from image models by default: embeddings gained nothing on the real lesions available,
two per patient (docs/images-real.md)."""
DEFAULT_GROUPS: tuple[str, ...] = (
    "basic",
    "tbp",
    "further",
    "engineered.formulas",
    "patient.z",
    "patient.rank",
    "context",
    *IMAGE_GROUPS,
)
"""What is built by default."""


@cache
def all_groups() -> dict[str, Group]:
    """Every group under its switch, ours first, so no other package can take their names; user formulas last.

    Raises:
        InputError: An entry point is not a group of its name.
    """
    brought = {entry.name: entry.load() for entry in entry_points(group=ENTRY_POINTS)}
    for name, group in brought.items():
        if not isinstance(group, Group) or group.name != name:
            raise InputError(
                f"{name} is no feature group of that name",
                where=f"entry point {ENTRY_POINTS}",
                remedy="give a features.Group whose name is the entry point's",
            )
    return {**GROUPS, **{name: group for name, group in brought.items() if name not in GROUPS}, OWN.name: OWN}


def brought_by(groups: Sequence[str]) -> dict[str, str]:
    """SHA-256 of the module behind each group that another package adds, by name."""
    wanted = {switch.partition(".")[0] for switch in groups} - set(GROUPS)
    found = (entry for entry in (entry_points(group=ENTRY_POINTS) if wanted else ()) if entry.name in wanted)
    return {entry.name: sha256_of(Path(import_module(entry.module).__file__ or "")) for entry in found}


def own_features(groups: Sequence[str]) -> list[OwnFeature]:
    """The user-defined ones among a run's switches."""
    return [OwnFeature.of(switch) for switch in groups if is_own(switch)]


def compares_lesions(built: Iterable[str], groups: Sequence[str]) -> bool:
    """Whether any feature needs the patient's other lesions.

    Args:
        built: Names of the groups that the features belong to.
        groups: The switches that they were built by, with the user's own features.
    """
    known = all_groups()
    return any(not one.of_one_lesion for one in own_features(groups)) or any(
        not known[name].of_one_lesion for name in built if name != OWN.name
    )


def dictionary(columns: Collection[str], groups: Sequence[str] = DEFAULT_GROUPS) -> list[FeatureSpec]:
    """The features that `groups` give for a table with `columns`, in the order of the feature table.

    Args:
        columns: Columns of the canonical frame; for the group `image` also of the image table, as
            `features.patients.image_tables.join_images` names them.
        groups: Switches: a group ("patient"), a part of one ("patient.z"), or a user's own feature
            (`OwnFeature.switch`).

    Returns:
        One entry per feature; features whose columns the table lacks are left out.

    Raises:
        InputError: A switch is unknown, or two features have the same name.
    """
    check_switches([switch for switch in groups if not is_own(switch)])
    specs = [spec for group in all_groups().values() for spec in group.describe(columns)]
    chosen = [spec for spec in specs if any(spec.answers_to(switch) for switch in groups)]
    own = [one.spec() for one in own_features(groups) if set(one.needs) <= set(columns)]
    _check_names([spec.name for spec in (*chosen, *own)])
    return [*chosen, *own]


def switches() -> list[str]:
    """Every switch: the groups, then their parts as `group.part`."""
    columns = {*NUMERIC, *CATEGORICAL, *EXAMPLE_IMAGE_COLUMNS, *EXAMPLE_FURTHER_COLUMNS}
    groups = all_groups()
    parts = {spec.switch for group in groups.values() for spec in group.describe(columns)}
    return [*(name for name in groups if name != OWN.name), *sorted(parts - set(groups))]


def check_switches(groups: Sequence[str], *, own: Sequence[str] = (), where: str = "[features] groups") -> None:
    """Refuse an unknown switch; `own` are further known ones.

    Raises:
        InputError: The message names the nearest one.
    """
    known = [*switches(), *own]
    for switch in groups:
        if switch not in known:
            near = difflib.get_close_matches(switch, known, n=1)
            hint = f"did you mean {near[0]!r}" if near else f"choose among {', '.join(known)}"
            raise InputError(f"unknown feature group {switch!r}", where=where, remedy=hint)


def _check_names(names: Sequence[str]) -> None:
    seen = Counter(names)
    twice = sorted({name for name in seen if seen[name] > 1} | (NEVER_FEATURES & set(names)))
    if twice:
        raise InputError(
            f"feature names {twice} are taken",
            where="[features.own] or the image table",
            remedy="choose other names there",
        )
