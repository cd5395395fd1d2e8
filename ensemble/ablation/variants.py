"""Which sets of features are tried, and what each one is compared with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

from ensemble.ablation.families import Families

Kind = Literal["all", "without", "only", "base plus", "pair", "run"]
#: Name of the variant with every feature.
ALL = "all"
#: The families in the organisers' table, made of our groups. "Tiles" are their crops, hence our image group.
ORGANISERS: Mapping[str, tuple[str, ...]] = {
    "basic": ("basic",),
    "TBP measurements": ("tbp", "engineered"),
    "patient context": ("patient", "site", "region", "location", "tile", "context", "neighbours"),
    "tiles": ("image",),
}
#: The rows of their table: kind and families. Rows that leave families out keep groups unknown to the organisers.
_TABLE: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("without", ("patient context",)),
    ("without", ("tiles",)),
    ("without", ("TBP measurements",)),
    ("only", ("TBP measurements", "patient context")),
    ("only", ("tiles",)),
    ("only", ("tiles", "patient context")),
    ("only", ("TBP measurements",)),
    ("only", ("basic",)),
    ("only", ("basic", "TBP measurements")),
    ("only", ("basic", "tiles")),
)


@dataclass(frozen=True)
class Variant:
    """One set of features.

    Attributes:
        name: Its name in tables and files.
        kind: How it was formed.
        features: Names of features, in the run's order.
        against: Name of the variant it is compared with.
        apart: For a pair, the two variants that each leave out one of its families.
    """

    name: str
    kind: Kind
    features: tuple[str, ...]
    against: str = ALL
    apart: tuple[str, ...] = ()


@dataclass(frozen=True)
class Design:
    """What an ablation tries.

    Attributes:
        variants: The one with all features comes first; no name or comparison occurs twice.
        not_applicable: Names of rows that this run cannot fill, with the reason.
        families: Names of features by family.
    """

    variants: tuple[Variant, ...]
    not_applicable: Mapping[str, str]
    families: Families

    @classmethod
    def of(cls, every: Sequence[str], variants: Iterable[Variant], families: Families) -> Design:
        """Put the variant with all features first, and say which of the others cannot be tried.

        If a variant is dropped as equal to another, whatever is compared with it is compared with that other one.
        """
        kept, missing = [Variant(ALL, "all", tuple(every))], {}
        equal: dict[str, str] = {}
        for named in variants:
            apart = tuple(equal.get(name, name) for name in named.apart)
            variant = replace(named, against=equal.get(named.against, named.against), apart=apart)
            tried = (variant.features, variant.against)
            same = next((known for known in kept if (known.features, known.against) == tried), None)
            if not variant.features:
                missing[variant.name] = "no feature is left"
            elif variant.against in missing:
                missing[variant.name] = f"{variant.against!r} has no feature"
            elif same and same.name == variant.name:
                continue  # a family that is also the base
            elif same:
                missing[variant.name] = f"the same features as {same.name!r}"
                equal[variant.name] = same.name
            else:
                kept.append(variant)
        return cls(tuple(kept), missing, families)


def group_design(
    every: Sequence[str], families: Families, base: Families, *, pairs: bool = False, leave_out: bool = False
) -> Design:
    """Each family left out, alone, and added to a base; on request, each pair left out.

    Args:
        every: Names of all features, in the run's order.
        families: Families to try.
        base: Families of the base; if empty, no family is added to a base.
        pairs: Also leave out every two families together.
        leave_out: Only leave families out.
    """
    base_name = " + ".join(base)
    based = {name for names in base.values() for name in names}
    variants = [Variant(_without(name), "without", _rest(every, names)) for name, names in families.items()]
    if pairs:
        variants += [_pair(every, families, first, second) for first, second in combinations(families, 2)]
    if leave_out:
        return Design.of(every, variants, families)
    variants += [Variant(f"only {base_name}", "only", _these(every, based))] if base else []
    variants += [Variant(f"only {name}", "only", _these(every, names)) for name, names in families.items()]
    variants += [
        Variant(f"{base_name} plus {name}", "base plus", _these(every, {*based, *names}), f"only {base_name}")
        for name, names in families.items()
        if base and not based.issuperset(names)
    ]
    return Design.of(every, variants, families)


def organisers_design(every: Sequence[str], specs: Sequence[Mapping[str, str]]) -> Design:
    """The rows of the table that the challenge's organisers published for the winning model.

    Args:
        every: Names of all features, in the run's order.
        specs: The run's feature dictionary; the name and group of each feature are read.
    """
    families = {
        family: tuple(spec["name"] for spec in specs if spec["group"] in groups)
        for family, groups in ORGANISERS.items()
    }
    variants, missing = [], {}
    for kind, names in _TABLE:
        chosen = {feature for name in names for feature in families[name]}
        name = f"{kind} {' + '.join(names)}"
        absent = [name for name in names if not families[name]]
        if absent:
            missing[name] = f"the run has no features of {', '.join(absent)}"
        else:
            features = _rest(every, chosen) if kind == "without" else _these(every, chosen)
            variants.append(Variant(name, kind, features))
    design = Design.of(every, variants, {name: names for name, names in families.items() if names})
    return Design(design.variants, {**missing, **design.not_applicable}, design.families)


def _pair(every: Sequence[str], families: Families, first: str, second: str) -> Variant:
    left = _rest(every, {*families[first], *families[second]})
    return Variant(f"without {first} + {second}", "pair", left, apart=(_without(first), _without(second)))


def _without(name: str) -> str:
    return f"without {name}"


def _rest(every: Sequence[str], left_out: Iterable[str]) -> tuple[str, ...]:
    gone = set(left_out)
    return tuple(name for name in every if name not in gone)


def _these(every: Sequence[str], chosen: Iterable[str]) -> tuple[str, ...]:
    kept = set(chosen)
    return tuple(name for name in every if name in kept)
