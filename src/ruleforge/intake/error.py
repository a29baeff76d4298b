"""error: what the caller of the intake got wrong

Bad data is never an exception: it is a `Refusal` in the revision. This is for a wrong path, a wrong
option, or a rulebook whose file clauses cannot be carried out.
"""


class IntakeError(Exception):
    """A fact and a fix, in one message."""


class UnknownColumnError(IntakeError):
    """A column named by the caller that no table of the rulebook has."""
