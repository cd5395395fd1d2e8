"""One way to train: a job is a learner, columns, rows to train on and rows to score, named by everything it reads."""

from ensemble.jobs.fitting import Outcome
from ensemble.jobs.job import Job
from ensemble.jobs.running import JobRunner, Keep
from ensemble.jobs.table import Table

__all__ = ["Job", "JobRunner", "Keep", "Outcome", "Table"]
