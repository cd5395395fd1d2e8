"""Named groups of features, and how a lesion compares with the same patient's others."""

from features.building import FeaturePlan, build
from features.fitting import fit_state as fit
from features.groups.feature import Feature, feature_group
from features.groups.group import Group
from features.groups.own import OwnFeature
from features.groups.specs import FeatureSpec
from features.patients.block import Block
from features.patients.state import FeatureState
from features.registry import DEFAULT_GROUPS, GROUPS, IMAGE_GROUPS, dictionary, switches
from features.stage import run_stage
from features.writing import write_features

__all__ = [
    "DEFAULT_GROUPS",
    "GROUPS",
    "IMAGE_GROUPS",
    "Block",
    "Feature",
    "FeaturePlan",
    "FeatureSpec",
    "FeatureState",
    "Group",
    "OwnFeature",
    "build",
    "dictionary",
    "feature_group",
    "fit",
    "run_stage",
    "switches",
    "write_features",
]
