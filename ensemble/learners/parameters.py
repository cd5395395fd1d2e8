"""A misspelt parameter must be an error, never silently ignored."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from difflib import get_close_matches

from cohort.errors import InputError
from ensemble.learners.base import Parameters


def refuse_unknown(given: Parameters, known: Iterable[str] | None, *, owner: Collection[str], learner: str) -> None:
    """Refuse parameters that the library does not have or that this project sets itself.

    Args:
        given: The user's parameters.
        known: Every name the library knows; None where the library refuses unknown names itself.
        owner: Names that are fixed for repeatable scores.
        learner: The learner's name, for the message.

    Raises:
        InputError: A name is unknown or fixed.
    """
    where = f"[ensemble.parameters.{learner}]"
    if fixed := sorted(set(given) & set(owner)):
        raise InputError(f"{', '.join(fixed)} is fixed, so that scores repeat", where=where, remedy="leave it out")
    names = set(given) if known is None else set(known)
    for name in sorted(set(given) - names):
        nearest = get_close_matches(name, names, n=1)
        raise InputError(
            f"{learner} has no parameter {name!r}",
            where=where,
            remedy=f"did you mean {nearest[0]!r}" if nearest else f"see {learner}'s own list of parameters",
        )
