"""A run as one page: a JSON-able dict first (`building`), then a template (`page`)."""
