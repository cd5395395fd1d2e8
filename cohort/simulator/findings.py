"""One line of the simulator's audit: what was published, what was simulated, within which bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class AuditFinding:
    """A published figure next to the simulated one.

    Attributes:
        group: Chapter of the audit.
        what: What is compared.
        published: The published figure; None if the bound is a requirement, not published.
        simulated: The simulated figure.
        low: Smallest figure that passes.
        high: Largest figure that passes.
        exact: Whether the bound holds in a cohort of any size; the others are stated for the published one.
        applies: Whether the figure of this cohort can be judged.
    """

    group: str
    what: str
    published: float | None
    simulated: float
    low: float
    high: float
    exact: bool = False
    applies: bool = True

    @property
    def verdict(self) -> Literal["within", "outside", "not applicable"]:
        """What the audit says of the figure."""
        if not self.applies:
            return "not applicable"
        return "within" if self.low <= self.simulated <= self.high else "outside"

    def as_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        names = ("group", "what", "published", "simulated", "low", "high", "verdict")
        return {name: getattr(self, name) for name in names}


def near(group: str, what: str, published: float, simulated: float, tolerance: float) -> AuditFinding:
    """A figure that must lie within `tolerance` of the published one."""
    return AuditFinding(group, what, published, simulated, published - tolerance, published + tolerance)
