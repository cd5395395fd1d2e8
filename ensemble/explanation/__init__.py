"""What each feature adds to a lesion's blended score, beside the cohort's base and beside the same patient's others.

Definition. Three steps lead from features to the score of a lesion, and each hands the whole of its change from a base
on to what came before it (the rescale rule for a series of models: Chen, Lundberg and Lee, Nature Communications
13:4512, 2022). All sums are exact, so a lesion's contributions and the base add up to its score.

1. A model m turns features into log odds f: TreeSHAP gives phi[m, j] with f[m] = b[m] + sum over j of phi[m, j], b[m]
   the mean log odds of its training rows.
2. A learner's score is the mean over its models of p[m] = 1 / (1 + exp(-f[m])). The secant
   s[m] = (p(f[m]) - p(b[m])) / (f[m] - b[m]), never negative, brings each model to probabilities:
   a[j] = mean over m of s[m] phi[m, j] adds up to p - p0, p0 the mean of p(b[m]).
3. The blend B joins the learners' scores. D[l] is learner l's Shapley value between all learners at p0 and all at p,
   for a weighted mean of quantile levels exactly weight x (level of p - level of p0). So
   c[j] = sum over learners of D[l] / (p[l] - p0[l]) a[l, j], and the sum over j of c[j] = B(p) - B(p0).

Contributions are in the unit of the score: 0.01 is one hundredth of the training cohort passed. Out of fold a lesion is
explained by the models that did not train on its patient, a new lesion by all models.

Relative to the same patient's others, step 1 takes phi[m, j] - (median of phi[m, j] over the patient's lesions) in the
place of phi[m, j]; the factors of steps 2 and 3 stay the lesion's own. Comparing contributions in log odds first keeps
a lesion near the top of the scale, where a score has little room left, from looking ordinary.
"""

from ensemble.explanation.blended import Explained, Panel, explain
from ensemble.explanation.selection import Selection, select
from ensemble.explanation.study import Lesions, Sitting, Study, count_blocks, new_lesions, out_of_fold, study

__all__ = [
    "Explained",
    "Lesions",
    "Panel",
    "Selection",
    "Sitting",
    "Study",
    "count_blocks",
    "explain",
    "new_lesions",
    "out_of_fold",
    "select",
    "study",
]
