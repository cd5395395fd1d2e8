"""The group `own`: numbers that a user defines by formulas in a run's configuration."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

import numpy as np

from cohort.column import FEATURE_NAME, FEATURE_NAMING
from cohort.columns import CATEGORICAL, NEVER_FEATURES, NUMERIC
from engine.errors import InputError
from features.arithmetic.segments import Floats, Segments
from features.groups.group import Group
from features.groups.scopes import SCOPES
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.comparison import Comparison, Prior
from features.patients.engineered import ENGINEERED
from features.patients.formula import FUNCTIONS, Formula, parsed
from features.patients.numbers import needs_of
from features.patients.state import FeatureState

SUMMARIES = ("sum", "mean", "median", "sd", "min", "max", "count", "rank")
"""Summaries of a scope's lesions; missing values are left out."""
_ENGINEERED = frozenset(one.name for one in ENGINEERED)
KNOWN = (*NUMERIC, *sorted(_ENGINEERED))
"""Numbers that a formula may use."""
_SCOPES = {scope.name: scope.column for scope in SCOPES}
_NO_PRIOR = Prior(within=0.0, robust=0.0, offset=0.0)
_LONGEST, _HIGHEST_POWER = 500, 10
_REMEDY = "docs/own-features.md says what a formula may contain"


@dataclass(frozen=True)
class OwnFeature:
    """A number that the user defines.

    Attributes:
        name: Column name in the feature table.
        formula: Over `KNOWN` numbers; see `features.patients.formula`, with `SUMMARIES` over `SCOPES`.
        unit: Unit; empty for a pure number.
        source: Who devised it.
    """

    name: str
    formula: str
    unit: str = ""
    source: str = "own"

    @property
    def switch(self) -> str:
        """The feature as a switch of a run: one text that says all about it and is stored with the features."""
        return f"{self.name} = {self.formula} [{self.unit}] {self.source}"

    @classmethod
    def of(cls, switch: str) -> OwnFeature:
        """The feature of a `switch`."""
        name, _, rest = switch.partition(" = ")
        formula, _, rest = rest.partition(" [")
        unit, _, source = rest.partition("] ")
        return cls(name, formula, unit, source)

    @property
    def needs(self) -> tuple[str, ...]:
        """Columns of the canonical frame it reads."""
        numbers = [need for name in Formula(self.formula).names for need in _needs_of(name)]
        return tuple(dict.fromkeys((*numbers, *filter(None, map(_SCOPES.get, self._scopes)))))

    @property
    def of_one_lesion(self) -> bool:
        """Whether it summarises no other lesions."""
        return not self._scopes

    @property
    def _scopes(self) -> list[str]:
        """Names of the scopes that it summarises."""
        return [node.attr for node in ast.walk(parsed(self.formula)) if isinstance(node, ast.Attribute)]

    def spec(self) -> FeatureSpec:
        """Its entry in the dictionary; its part is its name, so that each can be left out by itself."""
        missing = "an input is missing, or the formula has no value (division by 0)"
        return FeatureSpec(
            self.name, "own", self.name, "numeric", self.formula, self.unit, self.source, missing, self.needs
        )

    def check(self) -> None:
        """Refuse an invalid name or formula.

        Raises:
            InputError: The message says what is wrong.
        """
        if not FEATURE_NAME.fullmatch(self.name) or self.name in {*NUMERIC, *CATEGORICAL, *NEVER_FEATURES}:
            raise InputError(
                f"{self.name!r} cannot name a feature",
                remedy=f"{FEATURE_NAMING}, and no name of a column",
            )
        if "[" in self.unit or "]" in self.unit or not self.source.isprintable() or not self.unit.isprintable():
            raise InputError("a unit and a source are one line, without brackets", remedy="shorten them")
        if len(self.formula) > _LONGEST:
            raise InputError(f"a formula of {len(self.formula)} characters", remedy=f"use at most {_LONGEST}")
        try:
            _check_tree(parsed(self.formula))
            ones = dict.fromkeys(Formula(self.formula).names, np.ones(1))
            Formula(self.formula)(ones, over=lambda _name, values, _scope: np.ones(1) * values)
        except SyntaxError as error:
            raise InputError(f"{self.formula!r} is no formula ({error.msg})", remedy=_REMEDY) from error
        except (ValueError, TypeError, ArithmeticError, RecursionError, MemoryError) as error:
            raise InputError(f"{self.formula!r} is no formula ({error})", remedy=_REMEDY) from error


def is_own(switch: str) -> bool:
    """Whether a switch is a user-defined feature."""
    return " = " in switch


def _needs_of(name: str) -> tuple[str, ...]:
    return needs_of(name) if name in _ENGINEERED else (name,)


def _check_tree(tree: ast.expr) -> None:
    """Refuse names, summaries, scopes and powers that are not part of the language."""
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    summarised = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) if id(node) not in called and name != "pi":
                _one_of(name, KNOWN, "column")
            case ast.Call(func=ast.Name(id=name)) if id(node) in summarised:
                _one_of(name, SUMMARIES, "summary")
                _one_of(summarised[id(node)], tuple(_SCOPES), "scope")
            case ast.Call(func=ast.Name(id=name)):
                if name in SUMMARIES and name not in FUNCTIONS:
                    raise InputError(f"{name}(...) of which lesions?", remedy=f"write {name}(...) over patient")
                _one_of(name, tuple(FUNCTIONS), "function")
            case ast.BinOp(left=ast.Constant() | ast.BinOp() as left, op=ast.Pow()) if not _has_column(left):
                raise InputError("a power of a number alone", remedy="write the number")
            case ast.BinOp(op=ast.Pow(), right=right) if not _is_small(right):
                raise InputError("an exponent that is no small whole number", remedy=f"use 0 to {_HIGHEST_POWER}")


def _has_column(tree: ast.expr) -> bool:
    return any(isinstance(node, ast.Name) for node in ast.walk(tree))


def _is_small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int) and 0 <= node.value <= _HIGHEST_POWER


def _one_of(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        near = get_close_matches(name, known, n=1)
        remedy = f"did you mean {near[0]!r}" if near else _REMEDY if what == "column" else f"use {', '.join(known)}"
        raise InputError(f"there is no {what} {name!r}", remedy=remedy)


@cache
def _formula(text: str) -> Formula:
    return Formula(text)


def _compute(block: Block, _state: FeatureState, wanted: Sequence[FeatureSpec]) -> Iterator[tuple[str, Floats]]:
    def over(name: str, values: Floats, scope: str) -> Floats:
        column = _SCOPES[scope]
        segments = block.scope(column) if column else block.patients
        return _summary(name, segments, np.array(np.broadcast_to(values, block.size), dtype=np.float64))

    for spec in wanted:
        formula = _formula(spec.formula)
        values: Mapping[str, Floats] = {name: block.number(name) for name in formula.names}
        yield spec.name, np.array(np.broadcast_to(formula(values, over), block.size))


def _summary(name: str, segments: Segments, values: Floats) -> Floats:
    """A summary of each lesion's segment (n,); NaN if there is no value to summarise."""
    values[~np.isfinite(values)] = np.nan
    own = Comparison(segments, values, _NO_PRIOR)
    count = own.moments.count
    if name == "rank":
        return own.rank
    if name == "count":
        return segments.spread(count)
    found: dict[str, Callable[[], Floats]] = {
        "sum": lambda: np.where(count > 0, segments.total(np.nan_to_num(values)), np.nan),
        "mean": lambda: own.moments.mean,
        "median": lambda: own.median,
        "sd": lambda: np.sqrt(own.moments.squares / np.where(count > 1, count - 1, np.nan)),
        "min": lambda: segments.lowest(values),
        "max": lambda: segments.highest(values),
    }
    return segments.spread(found[name]())


OWN = Group("own", "Numbers that a user wrote as formulas.", lambda _columns: [], _compute)
