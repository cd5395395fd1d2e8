"""Checking data before it is used: coded findings about a table, or about a folder and how its files fit together."""

from cohort.checking.data import check_data

__all__ = ["check_data"]
