"""Pages about patients: which lesions to look at first, where they are, and what is known about their risk."""
