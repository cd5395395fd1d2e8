"""What is linked by pairs, directly or through others: duplicate images, and the patients who share them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def components(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The connected components of a list of pairs: each member mapped to the smallest of its component.

    Order of the pairs and within them does not matter.
    """
    listed = list(pairs)
    if not listed:
        return {}
    members, code = np.unique(np.array(listed), return_inverse=True)
    one, other = code.reshape(-1, 2).T
    edges = coo_array((np.ones(len(one)), (one, other)), shape=(len(members), len(members)))
    component = connected_components(edges, directed=False)[1]
    smallest = np.unique(component, return_index=True)[1]  # members are sorted: the first of a component
    return dict(zip(members.tolist(), members[smallest[component]].tolist(), strict=True))
