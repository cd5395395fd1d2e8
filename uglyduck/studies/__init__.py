"""What is asked of a finished run: nested estimate, ablation, tuning, hospitals, explanation, checks."""
