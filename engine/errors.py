"""Errors that a user can mend: each says what is wrong, where, and how to mend it."""


class UglyduckError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(UglyduckError):
    """The user's data or configuration is wrong; the command line prints it as one line and exits with status 2.

    Attributes:
        what: What is wrong, as a clause without a full stop.
        where: File, column, row or configuration key; None where there is no place to name.
        remedy: How to mend it, as a sentence without a full stop.
    """

    def __init__(self, what: str, *, remedy: str, where: str | None = None) -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        super().__init__(what, where, remedy)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return " ".join(f"{place}{self.what}. {self.remedy}.".split())
