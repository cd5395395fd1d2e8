"""What each feature adds to a lesion's log odds of malignancy, from the cohort's base or the patient's usual.

Definition. TreeSHAP writes a model's log odds as f[m] = b[m] + sum over features j of phi[m, j], where b[m] is the mean
over its training rows. The learners' log odds are weighted as the blend weights their scores: with w[l] the weight of
learner l, and M[l] its models that did not train on the lesion's patient (for a new lesion, all of them),

    c[j] = sum over l of w[l] x mean over m in M[l] of phi[m, j]
    base + sum over j of c[j] = sum over l of w[l] x mean over m in M[l] of f[m]     (exactly)

Beyond the same patient's usual, a feature adds c[j] minus the median of c[j] over the patient's lesions.

With one seed this sum is the blended score in log odds, except for a stack's or fusion's intercept and scale. Models
of several seeds are combined by the mean of their scores, not of their log odds. The two rank lesions nearly alike, and
their Spearman correlation is reported.
"""

from ensemble.explanation.contributions import Explained, Explainer, explain, out_of_fold
from ensemble.explanation.lesions import ChosenLesions
from ensemble.explanation.selection import Selection, select
from ensemble.explanation.study import Study, blocks, study

__all__ = [
    "ChosenLesions",
    "Explained",
    "Explainer",
    "Selection",
    "Study",
    "blocks",
    "explain",
    "out_of_fold",
    "select",
    "study",
]
