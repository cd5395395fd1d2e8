"""The audit of a simulated cohort as a file, as a table and as an exit status."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from cohort.simulator import Simulated
from cohort.simulator.audit import audit
from cohort.simulator.findings import AuditFinding
from engine.errors import InputError
from engine.files import write_json
from uglyduck.terminal.answers import answer, console

if TYPE_CHECKING:
    import polars as pl

    from uglyduck.studies.real_rows import NextToReal

_VERDICTS = ("within", "outside", "not applicable")


def show_audit(
    cohort: Simulated, path: Path | None, *, as_json: bool, every: bool, real: pl.DataFrame | None = None
) -> None:
    """Compare a simulated cohort with the published figures, and with real rows if there are any.

    Args:
        cohort: The cohort.
        path: JSON file to write, every figure with its bounds; None for none.
        as_json: Print that object instead of a table.
        every: List every figure, not just those outside their bounds.
        real: Real rows, as `uglyduck.studies.real_rows.read_real` reads them.

    Raises:
        InputError: A figure that can be judged is outside its bounds.
    """
    findings = audit(cohort)
    beside = None if real is None else _next_to(cohort, real)
    report = audit_report(cohort, findings) | ({} if beside is None else {"real_rows": beside.as_dict()})
    if path is not None:
        write_json(report, path)
    broken = [finding for finding in findings if finding.verdict == "outside"]
    listed = findings if every else broken

    def show(_report: dict[str, Any]) -> None:
        shown = [_chapters(findings), *([_figures(listed)] if listed else [])]
        console(160).print(*shown, *(() if beside is None else (_told_apart(beside), _carried(beside))))

    answer(report, show, as_json=as_json)
    if broken:
        worst = broken[0]
        raise InputError(
            f"{len(broken)} of {len(findings)} figures of the simulated cohort are outside their bounds",
            remedy=f"The first is {worst.what}: {worst.simulated:.5g}, not {worst.low:.5g} to {worst.high:.5g}",
        )


def audit_report(cohort: Simulated, findings: Sequence[AuditFinding]) -> dict[str, Any]:
    """The audit as JSON values."""
    return {
        "data": "simulated",
        "lesions": cohort.metadata.height,
        "malignant": int(cohort.metadata["target"].sum()),
        "counts": {verdict: sum(finding.verdict == verdict for finding in findings) for verdict in _VERDICTS},
        "findings": [finding.as_dict() for finding in findings],
    }


def _chapters(findings: Sequence[AuditFinding]) -> Table:
    table = Table("chapter", box=box.SIMPLE_HEAD, title="Simulated cohort against published figures", min_width=60)
    for verdict in _VERDICTS:
        table.add_column(verdict, justify="right")
    for group in dict.fromkeys(finding.group for finding in findings):
        verdicts = [finding.verdict for finding in findings if finding.group == group]
        table.add_row(group, *(str(sum(found == verdict for found in verdicts)) for verdict in _VERDICTS))
    verdicts = [finding.verdict for finding in findings]
    table.add_section()
    table.add_row("all", *(str(sum(found == verdict for found in verdicts)) for verdict in _VERDICTS))
    return table


def _figures(findings: Sequence[AuditFinding]) -> Table:
    table = Table("chapter", "figure", box=box.SIMPLE_HEAD)
    for title in ("published", "simulated", "lowest", "highest"):
        table.add_column(title, justify="right")
    table.add_column("verdict")
    for finding in findings:
        published = "" if finding.published is None else f"{finding.published:.5g}"
        numbers = (f"{value:.5g}" for value in (finding.simulated, finding.low, finding.high))
        table.add_row(finding.group, finding.what, published, *numbers, finding.verdict)
    return table


def _next_to(cohort: Simulated, real: pl.DataFrame) -> NextToReal:
    from uglyduck.studies.real_rows import next_to_real  # noqa: PLC0415 - LightGBM, which no other audit needs

    return next_to_real(cohort.metadata, real)


def _told_apart(beside: NextToReal) -> Table:
    title = f"Real rows ({beside.lesions:,}, {beside.malignant:,} malignant) told from as many simulated ones"
    table = Table("class", box=box.SIMPLE_HEAD, title=title, min_width=60)
    for name in ("rows of each", "AUC"):
        table.add_column(name, justify="right")
    table.add_column("by these columns most (share of gain)")
    for name, found in beside.apart.items():
        columns = ", ".join(f"{column} {share:.2f}" for column, share in found.columns.items())
        table.add_row(name, f"{found.rows:,}", f"{found.auc:.3f}", columns)
    return table


def _carried(beside: NextToReal) -> Table:
    table = Table("trained on", box=box.SIMPLE_HEAD, title="What a model of these columns carries over", min_width=60)
    table.add_column("partial AUC", justify="right")
    for what, value in beside.carried.items():
        table.add_row(what, f"{value:.4f}")
    return table
