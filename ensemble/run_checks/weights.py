"""Does the blend use all its learners?"""

from __future__ import annotations

from cohort.findings import Check, Finding
from ensemble.fusion import AnyBlend

EDGE_WEIGHT = Check("UD211", "blend weights at the edge", "warning")
SLIGHT = 1e-6


def edge_weights(blend: AnyBlend) -> Finding:
    """Look for a learner that counts for nothing, or for everything."""
    if len(blend.weights) == 1:
        return EDGE_WEIGHT.not_applicable("there is one learner")
    total = sum(blend.weights.values())
    shares = {name: weight / total if total else 0.0 for name, weight in blend.weights.items()}
    words = ", ".join(f"{name} {share:.2f}" for name, share in shares.items())
    idle = [name for name, share in shares.items() if share <= SLIGHT]
    if idle:
        return EDGE_WEIGHT.found(
            f"{words} ({blend.method}): without {', '.join(idle)} the scores are the same", weights=shares, idle=idle
        )
    return EDGE_WEIGHT.clear(f"{words} ({blend.method})", weights=shares, idle=[])
