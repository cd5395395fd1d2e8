"""Checks of parameter names: a misspelt name is an error, and no parameter is set twice under two names."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches

from engine.errors import InputError
from ensemble.learners.base import Parameters

#: Names from all libraries; any learner refuses them.
_EARLY_STOPPING = frozenset(
    {
        "early_stopping_round",
        "early_stopping_rounds",
        "early_stopping_min_delta",
        "od_wait",
        "od_type",
        "od_pval",
        "use_best_model",
        "eval_fraction",
    }
)
_DEVICE = frozenset(
    {
        "device",
        "device_type",
        "task_type",
        "devices",
        "gpu_id",
        "gpu_platform_id",
        "gpu_device_id",
        "gpu_use_dp",
        "num_gpu",
        "gpu_ram_part",
        "gpu_cat_features_storage",
    }
)


def check_names(
    given: Parameters,
    known: Iterable[str] | None,
    *,
    owner: Collection[str],
    aliases: Mapping[str, str],
    learner: str,
) -> None:
    """Refuse parameters that the library does not have, that this project sets itself, or that are aliases.

    Each parameter has one name here, that of the defaults and presets. If an alias were set as well, the library would
    choose which value counts; so aliases are refused, even alone, and the message says what to write.

    Args:
        given: The user's parameters, including those of a preset.
        known: Every name the library knows; None if the library itself refuses unknown names.
        owner: Names that are fixed so that scores are repeatable.
        aliases: The name in use here, by each of the library's other names for it.
        learner: The learner's name, for the message.

    Raises:
        InputError: A name is unknown, fixed or an alias, or asks for early stopping or another device.
    """
    where = f"[ensemble.parameters.{learner}]"
    for name in sorted(given):
        if {name, aliases.get(name, name)} & _EARLY_STOPPING:
            raise InputError(
                f"{name}: there is no early stopping, since every lesion is either trained on or scored",
                where=where,
                remedy="set n_trees, or let `uglyduck tune` search it",
            )
        if {name, aliases.get(name, name)} & _DEVICE:
            raise InputError(
                f"{name}: learners train on the CPU, where scores repeat to the last bit",
                where=where,
                remedy="leave it out; networks use a GPU, see [images] device",
            )
    if fixed := sorted(name for name in given if aliases.get(name, name) in owner):
        raise InputError(f"{', '.join(fixed)} is fixed, so that scores repeat", where=where, remedy="leave it out")
    for alias in sorted(set(given) & set(aliases)):
        raise InputError(
            f"{alias!r} is another name of {aliases[alias]!r}, the one in use here",
            where=where,
            remedy=f"set {aliases[alias]} alone",
        )
    names = set(given) if known is None else set(known)
    for name in sorted(set(given) - names):
        nearest = get_close_matches(name, names, n=1)
        raise InputError(
            f"{learner} has no parameter {name!r}",
            where=where,
            remedy=f"did you mean {nearest[0]!r}" if nearest else f"see {learner}'s own list of parameters",
        )
