"""Checks of a finished run: coded questions whose answers say whether its figures can be trusted."""

from ensemble.run_checks.codes import RUN_CHECKS

__all__ = ["RUN_CHECKS"]
