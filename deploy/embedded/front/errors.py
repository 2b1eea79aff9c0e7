"""Errors in ClickHouse's own form: a number that clients act on, and a message that starts with it."""

from __future__ import annotations

import re

SYNTAX_ERROR = 62
UNKNOWN_FORMAT = 73
READONLY = 164
NOT_ENOUGH_SPACE = 243
SUPPORT_IS_DISABLED = 344
TOO_MANY_BYTES = 307
SESSION_IS_LOCKED = 373
SESSION_NOT_FOUND = 372
ACCESS_DENIED = 497
AUTHENTICATION_FAILED = 516
HTTP_STATUS = {SYNTAX_ERROR: 400, TOO_MANY_BYTES: 413, 60: 404, 81: 404, READONLY: 403, ACCESS_DENIED: 403, AUTHENTICATION_FAILED: 403}

_CODE = re.compile(r"Code: (\d+)\.")


class FrontError(Exception):
    """A statement failed or was refused. ``code`` is ClickHouse's error number, 1000 where the engine gave none."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def from_engine(cls, error: Exception) -> FrontError:
        """The engine's exception: its text begins somewhere with ``Code: N.``."""
        text = str(error)
        found = _CODE.search(text)
        return cls(int(found[1]), text[found.start() :].strip()) if found else cls(1000, f"Code: 1000. DB::Exception: {text}")

    @classmethod
    def refused(cls, code: int, message: str) -> FrontError:
        """A refusal of ours."""
        return cls(code, f"Code: {code}. DB::Exception: {message}")

    @property
    def status(self) -> int:
        """The HTTP status ClickHouse would answer with."""
        return HTTP_STATUS.get(self.code, 500)
