"""`uglyduck validate`: would a scorer take this submission?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def validate(
    submission: Annotated[Path, typer.Argument(help="The file to upload.", metavar="SUBMISSION")],
    like: Annotated[Path, typer.Option(help="The competition's sample_submission.csv.")],
    every: Annotated[bool, typer.Option("--all", help="Also list checks that found nothing.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what a scorer would reject in a submission, as coded findings (UD301 ...).

    Rows in a different order from the sample's are an error: a scorer compares by position. Exit status 2 if any
    finding is an error.

    Example: `uglyduck validate submission.csv --like sample_submission.csv`
    """
    from engine.errors import InputError
    from submissions.validation import validate_submission
    from uglyduck.terminal.findings import show_findings

    findings = validate_submission(submission, like)
    show_findings(str(submission), findings, every=every, hidden={"clear", "not applicable"}, as_json=as_json)
    errors = [finding for finding in findings if finding.is_error]
    if errors:
        raise InputError(
            f"a scorer would reject this submission or misread it ({errors[0].code}: {errors[0].title})",
            where=str(submission),
            remedy=f"found: {errors[0].measured.rstrip('.')}",
        )
