"""The tables in `docs/configuration.md`, made from the configuration so that the two cannot differ.

`python -m tests.uglyduck.config_tables docs/configuration.md` writes them between their markers.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import tomli_w
from pydantic import BaseModel

from engine.files import atomic_path
from uglyduck.run.config import Config

_COMMENTED = re.compile(r"^    (\w+): .*?  # (.*)$", re.MULTILINE)


def sections(owner: type[BaseModel] = Config) -> Iterator[type[BaseModel]]:
    """Every section of the configuration, those of a user's own names after the one that holds them."""
    for field in owner.model_fields.values():
        for found in (field.annotation, *get_args(field.annotation)):
            if inspect.isclass(found) and issubclass(found, BaseModel):
                yield found
                yield from sections(found)


def section_text(section: type[BaseModel]) -> str:
    """What a section is, and a row for each key: its default, and what it means as the source says it."""
    heading, _, about = inspect.cleandoc(section.__doc__ or "").partition(": ")
    meanings = dict(_COMMENTED.findall(inspect.getsource(section)))
    rows = [
        f"| `{name}` | {'required' if field.is_required() else _default(field.get_default())} | {meanings[name]} |"
        for name, field in section.model_fields.items()
    ]
    head = ("", "| key | default | what |", "| --- | --- | --- |")
    return "\n".join((f"## {heading}", "", about[:1].upper() + about[1:], *head, *rows))


def fill(text: str) -> str:
    """`text` with what stands between `<!-- sections -->` and `<!-- end -->` made anew."""
    made = "\n\n".join(section_text(section) for section in dict.fromkeys(sections()))
    between = re.compile(r"(<!-- sections -->\n).*?(<!-- end -->)", re.DOTALL)
    return between.sub(lambda match: f"{match[1]}{made}\n{match[2]}", text)


def _default(value: Any) -> str:  # noqa: ANN401 - any TOML value
    if value is None or value == {}:
        return ""
    return f"`{_toml(value)}`"


def _toml(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, tuple):
        return json.dumps(value)
    return tomli_w.dumps({"key": value}).removeprefix("key = ").strip()


if __name__ == "__main__":
    _path = Path(sys.argv[1])
    _filled = fill(_path.read_text("utf-8"))
    with atomic_path(_path) as _temporary:
        _temporary.write_text(_filled, "utf-8")
