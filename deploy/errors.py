"""Errors that a person reads: what happened, what to do, and the exit code that scripts see."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code of ``fenghuo`` says."""

    OK = 0
    FAILED = 1  # ran, and found a difference or did not reach its end
    USAGE = 2  # wrong command line, setting, policy pack or input file: nothing was done
    DEPENDENCY_LOST = 3  # Kafka or ClickHouse stayed away for good


class UserError(Exception):
    """Ends the program with one clear line. ``message`` says what and where, ``hint`` what to do; neither holds personal data."""

    exit_code = ExitCode.USAGE

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} -- {self.hint}" if self.hint else self.message


class Failed(UserError):
    """The command did its work and the answer is no: a difference, a failed check, an unclean end."""

    exit_code = ExitCode.FAILED


class DependencyLost(UserError):
    """A server that the command needs did not come back within the time given to it."""

    exit_code = ExitCode.DEPENDENCY_LOST
