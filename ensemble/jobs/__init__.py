"""One way to train: a job is a learner, columns, rows to train on and rows to score, named by all that it reads."""

from ensemble.jobs.job import Job
from ensemble.jobs.running import Keep, Outcome, Runner
from ensemble.jobs.table import Table

__all__ = ["Job", "Keep", "Outcome", "Runner", "Table"]
