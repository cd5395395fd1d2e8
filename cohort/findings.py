"""What a check reports: a stable code, how severe it is, what was measured, or why it does not apply.

A `Check` is the question; asking it gives a `Finding`. The same two classes serve checks of data and checks of runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from engine.errors import plain

Severity = Literal["error", "warning", "info"]
Status = Literal["found", "clear", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """The answer to one check.

    Attributes:
        code: Stable code such as UD105; never reused for another check.
        title: What was looked for, as a noun phrase.
        severity: How bad it is when found: "error" stops the work, "warning" deserves a look, "info" is a fact.
        status: "found", "clear", or "not applicable" when the question does not arise.
        where: The file or table looked at; empty for the whole.
        measured: One line: what was measured, or why the check does not apply.
        values: The same measurement as JSON values, for programs.
    """

    code: str
    title: str
    severity: Severity
    status: Status
    where: str
    measured: str
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def is_error(self) -> bool:
        """Whether this finding stops the work."""
        return self.status == "found" and self.severity == "error"

    def as_dict(self) -> dict[str, Any]:
        """All attributes as one JSON object."""
        return asdict(self)


@dataclass(frozen=True)
class Check:
    """One question with its stable code; `severity` is what a positive answer means."""

    code: str
    title: str
    severity: Severity

    def found(self, measured: str, *, where: str = "", **values: Any) -> Finding:  # noqa: ANN401 - any JSON value
        """The thing looked for was found; `measured` says how much."""
        return Finding(self.code, self.title, self.severity, "found", plain(where), plain(measured), values)

    def clear(self, measured: str, *, where: str = "", **values: Any) -> Finding:  # noqa: ANN401 - any JSON value
        """The thing looked for was not found; `measured` says what was looked at."""
        return Finding(self.code, self.title, self.severity, "clear", plain(where), plain(measured), values)

    def not_applicable(self, reason: str, *, where: str = "") -> Finding:
        """The question does not arise, for this reason."""
        return Finding(self.code, self.title, self.severity, "not applicable", where, reason)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """Number of findings found per severity, and of those clear and not applicable."""
    totals = {"error": 0, "warning": 0, "info": 0, "clear": 0, "not applicable": 0}
    for finding in findings:
        totals[finding.severity if finding.status == "found" else finding.status] += 1
    return totals


def as_report(subject: str, findings: Sequence[Finding]) -> dict[str, Any]:
    """The findings about `subject` as one JSON object: counts first, then each finding in the order given."""
    return {
        "subject": subject,
        "ok": not any(finding.is_error for finding in findings),
        "counts": counts(findings),
        "findings": [finding.as_dict() for finding in findings],
    }
