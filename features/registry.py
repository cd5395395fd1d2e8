"""All feature groups, and the dictionary of what they give for a table."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Sequence

from cohort.columns import CATEGORICAL, NEVER_FEATURES, NUMERIC
from engine.errors import InputError
from features.groups.context import CONTEXT
from features.groups.group import Group
from features.groups.hospital import HOSPITAL
from features.groups.images import IMAGE
from features.groups.neighbours import NEIGHBOURS
from features.groups.scopes import SCOPE_GROUPS
from features.groups.single_lesion import BASIC, ENGINEERED_GROUP, TBP
from features.groups.specs import FeatureSpec
from features.patients.image_tables import EMBEDDING_PREFIX, SCORE_PREFIX

GROUPS: dict[str, Group] = {
    group.name: group for group in (BASIC, TBP, ENGINEERED_GROUP, *SCOPE_GROUPS, CONTEXT, NEIGHBOURS, HOSPITAL, IMAGE)
}
"""Every group under its switch."""
EXAMPLE_IMAGE_COLUMNS = (f"{SCORE_PREFIX}score", f"{EMBEDDING_PREFIX}embedding")
"""An image table with one score and an embedding, as it is joined."""
DEFAULT_GROUPS: tuple[str, ...] = (
    "basic",
    "tbp",
    "engineered.formulas",
    "patient.z",
    "patient.rank",
    "context",
    "image",
)
"""What is built where nothing else is asked for."""


def dictionary(columns: Collection[str], groups: Sequence[str] = DEFAULT_GROUPS) -> list[FeatureSpec]:
    """The features that `groups` give for a table with `columns`, in the order of the feature table.

    Args:
        columns: Columns of the canonical frame; for the group `image` also of the image table, as
            `features.patients.image_tables.join_images` names them.
        groups: Switches: a group ("patient") or a part of one ("patient.z").

    Returns:
        One entry a feature; features whose columns the table lacks are left out.

    Raises:
        InputError: A switch is unknown, or two features have the same name.
    """
    check_switches(groups)
    specs = [spec for group in GROUPS.values() for spec in group.describe(columns)]
    chosen = [spec for spec in specs if any(spec.answers_to(switch) for switch in groups)]
    _check_names([spec.name for spec in chosen])
    return chosen


def switches() -> list[str]:
    """Every switch: the groups, then their parts as `group.part`."""
    columns = {*NUMERIC, *CATEGORICAL, *EXAMPLE_IMAGE_COLUMNS}
    parts = {spec.switch for group in GROUPS.values() for spec in group.describe(columns)}
    return [*GROUPS, *sorted(parts - set(GROUPS))]


def check_switches(groups: Sequence[str], *, where: str = "[features] groups") -> None:
    """Refuse a switch that is none.

    Raises:
        InputError: The message names the nearest.
    """
    known = switches()
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
            f"feature names {twice} are taken", where="image table", remedy="give its score columns other names"
        )
