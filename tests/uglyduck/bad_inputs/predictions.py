"""Tables of predictions and labels, submissions, and tables of image scores."""

from __future__ import annotations

import os

import polars as pl

from tests.uglyduck.bad_inputs.case import Case, Content
from tests.uglyduck.bad_inputs.tables import parquet, zipped

LABELS = "isic_id,target\nA,0\nB,1\nC,0\n"
SCORES = "isic_id,score\nA,0.1\nB,0.9\nC,0.2\n"


def scored(scores: Content, says: str, *, labels: Content = LABELS, more: str = "") -> Case:
    """Predictions next to labels."""
    call = f"score scores.csv --labels labels.csv --replicates 100 {more}"
    return Case(call, says, {"scores.csv": scores, "labels.csv": labels})


def submission(content: Content, says: str, *, sample: Content = LABELS) -> Case:
    """A submission next to the sample."""
    return Case("validate given.csv --like sample.csv", says, {"given.csv": content, "sample.csv": sample})


def images(content: Content, says: str, *, groups: str = '["basic", "image"]') -> Case:
    """A table of image scores for a run."""
    config = f'[data]\nmetadata = "table.csv"\nimage_scores = "scores.parquet"\n[features]\ngroups = {groups}\n'
    rows = "".join(f"ISIC_{place},IP_{place % 10},{place % 2},{40 + place}\n" for place in range(40))
    table = f"isic_id,patient_id,target,age_approx\n{rows}"
    files: dict[str, Content] = {"run.toml": config, "table.csv": table, "scores.parquet": content}
    return Case("run run.toml --out run --until features", says, files)


def scores_of(**columns: object) -> bytes:
    """A table of image scores."""
    return parquet(pl.DataFrame(columns))


IDS = [f"ISIC_{place}" for place in range(40)]

PREDICTIONS = {
    "predictions: empty": scored("", "the file is empty"),
    "predictions: a zip archive": scored(zipped(), "a zip archive"),
    "predictions: no ids": scored("lesion,score\nA,1\n", "no column of lesion ids"),
    "predictions: no scores": scored("isic_id,remark\nA,x\nB,y\nC,z\n", "there is no column of scores"),
    "predictions: two scores": scored("isic_id,a,b\nA,1,2\nB,2,3\nC,3,4\n", "2 columns could be the score: a, b"),
    "predictions: a column that is not there": scored(SCORES, "no score column 'blend'", more="--column blend"),
    "predictions: ids as the score": scored(SCORES, "no score column 'isic_id'", more="--column isic_id"),
    "predictions: words": scored(SCORES.replace("0.9", "high"), "'high' is not a number", more="--column score"),
    "predictions: a gap": scored(SCORES.replace("0.9", ""), "is missing or NaN"),
    "predictions: infinite": scored(SCORES.replace("0.9", "inf"), "is infinite"),
    "predictions: an id twice": scored(SCORES + "A,0.3\n", "stand in more than one row"),
    "predictions: a lesion too few": scored(SCORES.replace("C,0.2\n", ""), "have no prediction: C"),
    "predictions: a lesion too many": scored(SCORES + "D,0.3\n", "have no label: D"),
    "predictions: a ragged line": scored(SCORES + "D\n", "this line has 1 fields"),
    "predictions: of nothing": scored("isic_id,score\n", "there is no column of scores"),
    "labels: no target": scored(SCORES, "column target is missing", labels="isic_id,label\nA,0\n"),
    "labels: in words": scored(SCORES, "is not a number", labels=LABELS.replace("1", "yes")),
    "labels: neither 0 nor 1": scored(SCORES, "is neither 0 nor 1", labels=LABELS.replace("1", "2")),
    "labels: a gap": scored(SCORES, "is missing or NaN", labels=LABELS.replace("1", "")),
    "labels: one class": scored(SCORES, "there is no malignant lesion", labels=LABELS.replace("1", "0")),
    "labels: a fold that is none": scored(SCORES, "is no fold number", labels="isic_id,target,fold\nA,0,0.5\n"),
    "labels: no such file": Case(
        "score scores.csv --labels none.csv", "none.csv: no such file", {"scores.csv": SCORES}
    ),
    "labels: a named pipe": scored(SCORES, "not a regular file", labels=os.mkfifo),
    "predictions: no draws": scored(SCORES, "0 are too few for an interval", more="--replicates 0"),
    "predictions: a metric of no name": scored(SCORES, "'fame'", more="--metric fame"),
    "predictions: by nothing known": scored(SCORES, "nothing is known by 'day'", more="--by day"),
    "predictions: folds of none": scored(SCORES, "neither table has a column fold", more="--by fold"),
    "predictions: a claim that is no figure": scored(SCORES, "--claimed", more="--claimed high"),
    "predictions: a column of nothing": scored(SCORES, "nothing to compare with", more="--vs-column x"),
    "submission: empty": submission("", "UD301"),
    "submission: UTF-16": submission(LABELS.encode("utf-16"), "UD301"),
    "submission: zero bytes": submission(LABELS.replace("A", "A\0"), "UD301"),
    "submission: a spreadsheet": submission(zipped(), "UD301"),
    "submission: a quote never closed": submission('isic_id,target\n"A,0\n', "UD301"),
    "submission: semicolons": submission(LABELS.replace(",", ";"), "UD303"),
    "submission: no scores": submission(LABELS.replace("target", "score"), "UD304"),
    "submission: an index": submission("index," + LABELS, "UD305"),
    "submission: ragged": submission(LABELS.replace("B,1", "B"), "UD307"),
    "submission: a lesion too few": submission("isic_id,target\nA,0\nB,1\n", "UD308"),
    "submission: unknown lesions": submission(LABELS.replace("A", "X"), "UD309"),
    "submission: a lesion twice": submission(LABELS.replace("A", "B"), "UD309"),
    "submission: another order": submission("isic_id,target\nB,1\nA,0\nC,0\n", "UD312"),
    "submission: words": submission(LABELS.replace("1", "high"), "UD313"),
    "submission: a formula": submission(LABELS.replace("1", "=1"), "UD313"),
    "submission: gaps": submission(LABELS.replace("1", ""), "UD314"),
    "submission: infinite": submission(LABELS.replace("1", "inf"), "UD315"),
    "submission: no such file": Case("validate none.csv --like sample.csv", "none.csv", {"sample.csv": LABELS}),
    "submission: a folder": submission(lambda path: path.mkdir(), "cannot read this file"),
    "submission: a named pipe": submission(os.mkfifo, "not a regular file"),
    "sample: empty": submission(LABELS, "the file is empty", sample=""),
    "sample: a header alone": submission(LABELS, "0 rows", sample="isic_id,target\n"),
    "sample: one column": submission(LABELS, "1 columns", sample="isic_id\nA\n"),
    "image scores: no Parquet": images(SCORES, "not a readable Parquet file"),
    "image scores: cut off": images(scores_of(isic_id=IDS, score=[0.5] * 40)[:-9], "not a readable Parquet file"),
    "image scores: a folder": images(lambda path: path.mkdir(), "scores.parquet"),
    "image scores: a named pipe": images(os.mkfifo, "not a regular file"),
    "image scores: no ids": images(scores_of(name=IDS, score=[0.5] * 40), "no column 'isic_id'"),
    "image scores: numbers as ids": images(scores_of(isic_id=list(range(40)), score=[0.5] * 40), "isic_id is not text"),
    "image scores: embeddings alone, scores expected": images(
        scores_of(isic_id=IDS, embedding=[[0.5]] * 40),
        "has nothing for image.score. name what it has something for: image.embedding",
        groups='["basic", "image.score"]',
    ),
    "image scores: scores alone, embeddings expected": images(
        scores_of(isic_id=IDS, score=[0.5] * 40),
        "name what it has something for: image.score, image.relative",
        groups='["basic", "image.embedding"]',
    ),
    "image scores: no score": images(scores_of(isic_id=IDS, remark=["x"] * 40), "no score"),
}
