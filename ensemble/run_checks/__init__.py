"""Checks of a finished run: questions, each with a code, whose answers say whether its figures can be trusted."""

from ensemble.run_checks.codes import RUN_CHECKS

__all__ = ["RUN_CHECKS"]
