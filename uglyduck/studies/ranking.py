"""What a ranking is made from: new lesions scored by all fold models, or the training lesions out of fold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from cohort.frames import join_by_id
from engine.errors import InputError
from engine.files import read_json
from features import FeatureState
from submissions.conformal import Loss, Promise
from submissions.ranking import ranked_within
from submissions.reasons import reasons
from submissions.shortlist import TOP, By, Shortlist
from submissions.suitability import Caution, withheld
from uglyduck.run.run import Run
from uglyduck.stages.scores import IMAGE
from uglyduck.studies.new_lesions import NewTable

_COLUMNS = ("isic_id", "patient_id", "target", "score", "risk")


@dataclass(frozen=True)
class LesionsToRank:
    """Lesions to rank.

    Attributes:
        frame: In canonical form.
        scores: `isic_id`, `patient_id`, `score`, `risk` if scores are calibrated, and `target` if it is known.
        images: Their image scores, if there are any.
        state: Cohort constants of the run's features.
        cautions: How they differ from the training lesions.
    """

    frame: pl.DataFrame
    scores: pl.DataFrame
    images: pl.DataFrame | None
    state: FeatureState
    cautions: Sequence[Caution] = ()

    @property
    def labelled(self) -> bool:
        """Whether there is something to measure: known targets, of both classes."""
        return "target" in self.scores.columns and self.scores["target"].n_unique() == 2

    @property
    def withheld(self) -> pl.DataFrame:
        """`isic_id` and `risk_withheld`: why the risk of a lesion is not shown; null if it is."""
        why = [pl.when(withheld(self.scores, [one])).then(pl.lit(one.words)) for one in self.cautions if one.withholds]
        words = pl.concat_str(why, separator="; ", ignore_nulls=True) if why else pl.lit("")
        return self.scores.select("isic_id", words.alias("risk_withheld")).with_columns(
            pl.col("risk_withheld").replace("", None)
        )

    def reasons(self) -> pl.DataFrame:
        """How far each lesion departs from its patient's pattern, and in what."""
        return reasons(self.frame, state=self.state, images=self.images)


def training_lesions(run: Run) -> LesionsToRank:
    """The run's own lesions, each scored by the models that never saw its patient.

    Raises:
        InputError: The run is not finished, or one of its files is missing or damaged.
    """
    run.manifest.check(run.folder.dictionary)
    state = FeatureState.from_dict(read_json(run.folder.dictionary)["state"])
    return LesionsToRank(run.lesions.frame, _out_of_fold(run), _image_scores(run), state)


def new_lesions(run: Run, table: NewTable) -> LesionsToRank:
    """Lesions of another table, scored by the mean of the run's fold models.

    Raises:
        InputError: As in `NewTable.score`.
    """
    scored = table.score(run)
    frame, found = scored.cohort.frame, [*scored.cautions, *map(Caution, scored.cohort.odd)]
    known = frame.select(pl.col("^(isic_id|patient_id|target)$"))
    scores = _chosen(join_by_id(known, scored.scores))
    scores = scores.with_columns(risk=pl.when(~withheld(scores, found)).then("risk"))
    uncalibrated = scores.height and scores["risk"].null_count() == scores.height
    shown = scores.drop("risk") if uncalibrated else scores
    return LesionsToRank(frame, shown, scored.fitted.image_score(scored.images), scored.fitted.state, found)


def choose_shortlist(
    run: Run, *, top: int | None, sensitivity: float | None, confidence: float | None, loss: Loss, by: By
) -> Shortlist:
    """The list asked for; if it is to keep a sensitivity, it is fitted on the run's out-of-fold scores.

    Raises:
        InputError: The options contradict each other, or the run has too few patients for the promise.
    """
    if sensitivity is None:
        if confidence is not None:
            raise InputError("a confidence in nothing", where="--confidence", remedy="say --sensitivity as well")
        if by == "score":
            raise InputError("a list by score has no length", where="--shortlist-by", remedy="say --sensitivity")
        return Shortlist.top(TOP if top is None else top)
    if top is not None:
        raise InputError(
            "a number of lesions and a sensitivity", where="--top", remedy="give one of --top and --sensitivity"
        )
    promise = Promise(sensitivity, confidence, loss)
    return Shortlist.promised(ranked_within(_out_of_fold(run)), promise, by=by)


def _image_scores(run: Run) -> pl.DataFrame | None:
    """The image score of each training lesion; for several models their blend, out of fold like each of them."""
    if len(run.image_models) < 2 or run.image_scores is None:
        return run.image_scores
    shown = run.read_rows(run.folder.oof, columns=["isic_id", IMAGE])
    return shown.select("isic_id", pl.when(pl.Series(run.has_crop)).then(pl.col(IMAGE)).alias("score"))


def _out_of_fold(run: Run) -> pl.DataFrame:
    run.manifest.check(run.folder.oof)
    return _chosen(run.read_rows(run.folder.oof).rename({"blend": "score"}))


def _chosen(scores: pl.DataFrame) -> pl.DataFrame:
    return scores.select(name for name in _COLUMNS if name in scores.columns)
