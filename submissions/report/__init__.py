"""A run as one page: a JSON-able dict first (`build_report`), then a template (`render_page`)."""

from submissions.report.building import build_report
from submissions.report.page import render_page

__all__ = ["build_report", "render_page"]
