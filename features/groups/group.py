"""What a feature group is: a name, the columns it offers for a table, and how it computes them on a block."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from features.arithmetic.segments import Floats
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.state import FeatureState

Describe = Callable[[Collection[str]], list[FeatureSpec]]
"""From the columns a table has to the features that can be computed from them."""
Compute = Callable[[Block, FeatureState, Sequence[FeatureSpec]], Iterator[tuple[str, Floats]]]
"""From a block, the cohort constants and the numeric features wanted to their values (n,), NaN for missing."""


@dataclass(frozen=True)
class Group:
    """A named family of features that are switched on and off together.

    Attributes:
        name: The switch.
        about: One sentence for the dictionary.
        describe: Which features it has for a table.
        compute: Computes the numeric ones; categories are copied unchanged.
        of_one_lesion: Whether it needs none of the patient's other lesions.
    """

    name: str
    about: str
    describe: Describe
    compute: Compute
    of_one_lesion: bool = False
