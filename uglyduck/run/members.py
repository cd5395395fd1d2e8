"""The ensemble's members: which learner, with which parameters, and which features it may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from engine.console import log
from engine.errors import InputError
from ensemble.learners import Learner, get_learner
from ensemble.presets import preset_parameters
from uglyduck.run.config import EnsembleConfig, FusionName, MemberConfig

IMAGE = "image"
#: The member that sees the image score alone, with `fusion = "late"` or "both".
CROPS = "crops"
#: A member's twin that sees the table alone has this after its name.
TWIN = "-table"


@dataclass(frozen=True)
class Member:
    """A learner of the ensemble.

    Attributes:
        learner: The learner with its parameters.
        groups: Feature groups, or parts of them such as "patient.z", that it sees; None for all.
        images: Whether it sees the group "image".
    """

    learner: Learner
    groups: tuple[str, ...] | None = None
    images: bool = True

    def features(self, specs: Sequence[Mapping[str, Any]]) -> tuple[str, ...] | None:
        """Names of the features it sees, in the order of the feature dictionary; None for all.

        Args:
            specs: The run's feature dictionary, entries with name, group and part.

        Raises:
            InputError: One of its groups has no feature in this run, or nothing is left to see.
        """
        known = {part for spec in specs for part in _groups_of(spec)}
        if unknown := sorted(set(self.groups or ()) - known):
            raise InputError(
                f"the run builds no features of {', '.join(unknown)}",
                where="[ensemble.members] groups",
                remedy=f"add it to [features] groups, or choose from {', '.join(sorted(known))}",
            )
        seen = tuple(spec["name"] for spec in specs if self._sees(spec))
        if not seen:
            raise InputError("a member sees no feature", where="[ensemble.members]", remedy="give it more groups")
        return None if len(seen) == len(specs) else seen

    def kinds(self, specs: Sequence[Mapping[str, Any]]) -> set[bool]:
        """Whether the features it sees come from images: {True}, {False}, or both."""
        return {spec["group"] == IMAGE for spec in specs if self._sees(spec)}

    def _sees(self, spec: Mapping[str, Any]) -> bool:
        wanted = self.groups is None or bool(_groups_of(spec) & set(self.groups))
        return wanted and (self.images or spec["group"] != IMAGE)


def configured_members(settings: EnsembleConfig, fusion: FusionName) -> dict[str, Member]:
    """The members named in `learners`, in that order; unless fusion is early, also one that sees the image score alone.

    Args:
        settings: What they are.
        fusion: How images are used.

    Raises:
        InputError: A name is repeated or unknown, parameters are given to a learner that is not trained, or the
            learner refuses them.
    """
    unused = sorted((set(settings.parameters) | set(settings.members)) - set(settings.learners))
    if unused:
        raise InputError(
            f"parameters for {', '.join(unused)}, which the run does not train",
            where="[ensemble]",
            remedy=f"the learners are {', '.join(settings.learners)}",
        )
    if len(set(settings.learners)) < len(settings.learners):
        raise InputError("a learner is named twice", where="[ensemble] learners", remedy="name each once")
    members = {name: _member(name, settings, fusion) for name in settings.learners}
    if fusion != "early" and CROPS not in members:
        members[CROPS] = Member(get_learner("logistic", {"C": 1.0}), (f"{IMAGE}.score",))
    return members


def seeing_members(members: Mapping[str, Member], varying: Sequence[Mapping[str, Any]]) -> dict[str, Member]:
    """The members that see a feature that varies; a log line names those left out.

    Args:
        members: The configured ones.
        varying: Entries of the feature dictionary, of features that vary.

    Raises:
        InputError: None of them does.
    """
    seeing = {name: member for name, member in members.items() if member.kinds(varying)}
    if not seeing:
        raise InputError(
            f"every feature is the same for all lesions, so {', '.join(members)} can learn nothing",
            where="[features] groups",
            remedy="add groups that vary in this table, or give crops as [data] images",
        )
    for name in [name for name in members if name not in seeing]:
        log.warning("%s is left out: whatever it sees is the same for all lesions", name)
    return seeing


def with_twins(members: Mapping[str, Member], specs: Sequence[Mapping[str, Any]]) -> dict[str, Member]:
    """The members, and for each that sees both images and the table, a twin that sees the table alone."""
    both = [name for name, member in members.items() if member.kinds(specs) == {True, False}]
    return {**members, **{f"{name}{TWIN}": replace(members[name], images=False) for name in both}}


def models_of_table_alone(members: Mapping[str, Member], specs: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Which model takes each member's place when only the table is seen.

    Its twin, or itself if it sees no image; a member that sees nothing but images has none. Empty if no member sees
    images: the members then see the table alone anyway.
    """
    kinds = {name: member.kinds(specs) for name, member in members.items()}
    if not any(True in kind for kind in kinds.values()):
        return {}
    return {name: f"{name}{TWIN}" if True in kind else name for name, kind in kinds.items() if False in kind}


def _member(name: str, settings: EnsembleConfig, fusion: FusionName) -> Member:
    own = settings.members.get(name, MemberConfig(learner=name))
    given = {**preset_parameters(own.learner, settings.preset), **own.parameters, **settings.parameters.get(name, {})}
    seen = fusion != "late" or _names_images(own.groups) if own.images is None else own.images
    return Member(get_learner(own.learner, given), own.groups, seen)


def _names_images(groups: tuple[str, ...] | None) -> bool:
    return any(group.partition(".")[0] == IMAGE for group in groups or ())


def _groups_of(spec: Mapping[str, Any]) -> set[str]:
    """The group of a feature and, dotted, its part."""
    return {str(spec["group"]), f"{spec['group']}.{spec['part']}"} if spec["part"] else {str(spec["group"])}
