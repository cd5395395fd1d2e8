"""A notebook of one program, written as the JSON of nbformat 4."""

from __future__ import annotations

from typing import Any


def notebook(title: str, text: str, code: str) -> dict[str, Any]:
    """A notebook with a heading and one code cell.

    Args:
        title: The heading.
        text: Markdown text below it.
        code: The program.

    Returns:
        nbformat 4.5, ready for JSON.
    """
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "cells": [
            {"cell_type": "markdown", "id": "about", "metadata": {}, "source": _lines(f"# {title}\n\n{text}")},
            {
                "cell_type": "code",
                "id": "submit",
                "metadata": {},
                "execution_count": None,
                "outputs": [],
                "source": _lines(code),
            },
        ],
    }


def _lines(text: str) -> list[str]:
    return text.splitlines(keepends=True)
