"""Fingerprints of code: what it does, not how it is commented."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from engine.files import fingerprint

#: The folder that holds our packages.
_HERE = Path(__file__).parent.parent
#: Packages whose code is ours.
OURS = ("engine", "cohort", "cv_folds", "features", "image_embeddings", "ensemble", "submissions", "uglyduck")


def code_of(*modules: str) -> str:
    """SHA-256 of the code of these modules; comments, docstrings, other strings that document, and layout do not count.

    Args:
        modules: Full module names.

    Raises:
        ModuleNotFoundError: A module does not exist or has no source.
    """
    return fingerprint({module: _meaning(_source(module)) for module in modules})


@cache
def code_behind(module: str, apart: tuple[str, ...] = ()) -> str:
    """SHA-256 of the code of a module and of all our modules that it imports, directly or indirectly.

    Args:
        module: Full name.
        apart: Modules or packages not to follow, because they cannot change what the module computes.

    Raises:
        ModuleNotFoundError: There is no such module.
    """
    return code_of(*modules_behind(module, apart))


def modules_behind(module: str, apart: tuple[str, ...] = ()) -> list[str]:
    """Names of the module and of all our modules that it imports, directly or indirectly; see `code_behind`."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or any(name == other or name.startswith(f"{other}.") for other in apart):
            continue
        found.add(name)
        waiting += _imports(name)
    return sorted(found)


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Our modules that a module imports anywhere in its source, and its parent packages."""
    parts = module.split(".")
    names = {".".join(parts[:depth]) for depth in range(1, len(parts))}
    for node in ast.walk(ast.parse(_source(module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return tuple(sorted(name for name in names if name.split(".")[0] in OURS and _place(name)))


def _source(module: str) -> Path:
    place = _place(module)
    if place is None:
        message = f"there is no source of {module}"
        raise ModuleNotFoundError(message)
    return place


@cache
def _place(module: str) -> Path | None:
    """The source file of one of our modules, found without importing anything."""
    bare = _HERE.joinpath(*module.split("."))
    return next((path for path in (bare / "__init__.py", bare.with_suffix(".py")) if path.is_file()), None)


@cache
def _meaning(source: Path) -> str:
    tree = ast.parse(source.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(body := getattr(node, "body", None), list):
            node.body = [each for each in body if not _is_text(each)]  # type: ignore[attr-defined]
    return fingerprint(ast.dump(tree))


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a string that documents: a docstring, or what stands below a constant."""
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
