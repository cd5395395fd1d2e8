"""Findings on a terminal: first what was found, then what is clear or does not apply."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from cohort.findings import Finding, Status, as_report, counts
from uglyduck.terminal.answers import answer, console

_STYLE = {"error": "bold red", "warning": "yellow", "info": "cyan", "clear": "green", "not applicable": "dim"}
_ORDER = tuple(_STYLE)


def show_findings(
    subject: str, findings: Sequence[Finding], *, every: bool, hidden: Collection[Status], as_json: bool
) -> None:
    """Print findings about `subject`; those of a hidden status only if `every` one is wanted."""

    def show(_report: dict[str, Any]) -> None:
        shown = [finding for finding in findings if every or finding.status not in hidden]
        if shown:
            console(160).print(findings_table(shown))
        typer.echo(f"{subject}: {summary(findings)}")

    answer(as_report(subject, findings), show, as_json=as_json)


def verdict(finding: Finding) -> str:
    """The severity of what was found, otherwise "clear" or "not applicable"."""
    return finding.severity if finding.status == "found" else finding.status


def findings_table(findings: Sequence[Finding]) -> Table:
    """A table of findings, the most severe first, and in the order given within a severity."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("code", "", "where", "looked for", "measured"):
        table.add_column(title, overflow="fold", no_wrap=title == "code")
    for finding in sorted(findings, key=lambda one: _ORDER.index(verdict(one))):
        style = _STYLE[verdict(finding)]
        cells = (finding.code, verdict(finding), finding.where, finding.title, finding.measured)
        table.add_row(*(Text(cell, style=style if position < 2 else "") for position, cell in enumerate(cells)))
    return table


def summary(findings: Sequence[Finding]) -> str:
    """One line of counts, such as "1 error, 2 warnings, 5 infos, 20 clear, 3 not applicable"."""
    plural = {"error": "errors", "warning": "warnings", "info": "infos"}
    parts = counts(findings).items()
    return ", ".join(f"{number} {plural.get(name, name) if number != 1 else name}" for name, number in parts)
