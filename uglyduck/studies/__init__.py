"""Analyses of a finished run: nested estimate, ablation, tuning, hospitals, explanation, checks."""
