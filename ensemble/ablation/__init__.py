"""Which feature families earn their place: variants of a run's features, trained alike and compared by patient."""

from ensemble.ablation.comparison import compare, holm
from ensemble.ablation.families import families
from ensemble.ablation.scoring import score_variants
from ensemble.ablation.variants import ALL, Design, Variant, group_design, organisers_design

__all__ = [
    "ALL",
    "Design",
    "Variant",
    "compare",
    "families",
    "group_design",
    "holm",
    "organisers_design",
    "score_variants",
]
