"""Reads a statement just far enough: what kind it is, which format it asks for, where an insert's data begins, and what must be refused.

ClickHouse in-process has no users and no grants, and even with ``readonly = 1`` it writes ``INTO OUTFILE`` and reads any file
through the *function* ``file`` (tried). So what reaches outside is refused here, by name, wherever a name stands: called, quoted,
or handed to ``APPLY`` or ``arrayMap``. What this reader cannot be sure of it refuses too.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

from deploy.embedded.front.errors import ACCESS_DENIED, SYNTAX_ERROR, FrontError

#: Statements of a reader. ``SET`` is left to the engine, which refuses it under ``readonly = 1`` with the code clients know.
READING = frozenset({"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "USE", "SET"})
#: Statements that answer with rows.
ANSWERING = READING - {"USE", "SET"} | {"CHECK", "KILL", "OPTIMIZE"}
#: Table functions that stay inside; every other one of the engine is refused.
HARMLESS_TABLE_FUNCTIONS = frozenset(
    {
        "numbers",
        "numbers_mt",
        "zeros",
        "zeros_mt",
        "generateseries",
        "generate_series",
        "values",
        "view",
        "viewifpermitted",
        "merge",
        "null",
        "primes",
        "format",
        "generaterandom",
        "dictionary",
    }
)
#: Ordinary functions that reach outside the database.
OUTWARD_FUNCTIONS = frozenset({"file", "catboostevaluate", "evalmlmethod", "getclienthttpheader"})
#: The database that a connection begins in: without it none can be opened.
HOME = "default"
#: ``SYSTEM`` with one of these ends or halts the process, which is the whole stack's.
ENDING = frozenset({"SHUTDOWN", "KILL", "SUSPEND"})

_TOKEN = re.compile(
    rb"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)
       | (?P<word>[A-Za-z0-9_]+)
       | (?P<text>'(?:[^'\\]++|\\.|'')*+')
       | (?P<quoted>`[^`\\]*`|"[^"\\]*")
       | (?P<sign>[^\s'"`\\\#$\x80-\xff])""",
    re.VERBOSE | re.DOTALL,
)
_IDENTIFIER_PARAMETER = re.compile(r"\{\s*(\w+)\s*:\s*Identifier\s*\}", re.IGNORECASE)
_PLAIN_NAME = re.compile(r"[\w.]+")
_INSERT_FORMAT = re.compile(rb"\bFORMAT\s+(\w+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a quoted identifier (without its quotes), a text or a sign."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``data`` is what follows ``FORMAT`` of an insert, byte for byte and in its place, not copied; or None."""

    sql: str
    kind: str
    tokens: tuple[Token, ...]
    format: str | None
    data: bytes | memoryview | None

    @property
    def inserts_data(self) -> bool:
        """Whether rows come with the statement in a named format (``VALUES`` and ``SELECT`` are the engine's to read)."""
        return self.data is not None

    def with_data_from(self, file: str) -> str:
        """The insert, reading its rows from a file instead.

        ``INSERT INTO t (a) FROM INFILE '...' SETTINGS ... FORMAT name``, and where it selects from ``input('...')``, from ``file('...', name, '...')``.
        """
        head = self.sql.encode()
        found = [token for token in _TOKEN.finditer(head) if token.lastgroup != "space"]
        last = next(token for token in reversed(found) if token.group().upper() == b"FORMAT")
        quoted = "'" + file.replace("\\", "\\\\").replace("'", "\\'") + "'"
        for token, sign in itertools.pairwise(found):
            if token.group() == b"input" and sign.group() == b"(":
                form = found[found.index(last) + 1].group().decode()
                return f"{head[: token.start()].decode()}file({quoted}, '{form}', {head[sign.end() : last.start()].decode()}"
        set_here = (
            token for token, _name, sign in zip(found, found[1:], found[2:], strict=False) if token.group().upper() == b"SETTINGS" and sign.group() == b"="
        )
        place = next(set_here, last)
        return f"{head[: place.start()].decode()} FROM INFILE {quoted} {head[place.start() :].decode()}"

    @property
    def answers(self) -> bool:
        """Whether it has a result, be it empty."""
        return self.kind in ANSWERING


def parse(query: bytes, body: bytes) -> Statement:
    """The statement of a request: ``query`` is its URL parameter, ``body`` what was posted (the data, or the whole statement).

    Raises FrontError for several statements in one, and for text that cannot be read with certainty.
    """
    whole = query + b"\n" + body if query and body and not _is_insert(query) else query or body
    if _is_insert(whole):
        head, data = _split_insert(whole, body if query else None)
        tokens = _tokens(head)
        return Statement(_decode(head), "INSERT", tokens, _format_of(tokens), data)
    tokens = _tokens(whole)
    if not tokens:
        raise FrontError.refused(SYNTAX_ERROR, "Syntax error: empty query. (SYNTAX_ERROR)")
    kind = next((token.text.upper() for token in tokens if token.text != "("), "")
    return Statement(_decode(whole), kind, tokens, _format_of(tokens), None)


def refuse_outward(statement: Statement, table_functions: frozenset[str], parameters: Mapping[str, str]) -> None:
    """Raise FrontError for anything that would read or write outside the database. ``table_functions``: the engine's, in lower case."""
    outward = (table_functions - HARMLESS_TABLE_FUNCTIONS) | OUTWARD_FUNCTIONS
    words = [token.text.upper() if token.kind == "word" else "" for token in statement.tokens]
    for before, after in itertools.pairwise(words):
        if (before, after) in (("INTO", "OUTFILE"), ("FROM", "INFILE")) or (before == "SYSTEM" and after in ENDING):
            raise FrontError.refused(ACCESS_DENIED, f"{before} {after} is not available over HTTP. (ACCESS_DENIED)")
    if statement.kind in ("DROP", "DETACH", "RENAME") and words[1:2] == ["DATABASE"] and any(token.text == HOME for token in statement.tokens):
        raise FrontError.refused(ACCESS_DENIED, f"database {HOME} stays: every connection begins in it. (ACCESS_DENIED)")
    named = statement.tokens[:-1] if _ends_with_format(statement.tokens) else statement.tokens  # ArrowStream is a function's name too
    for position, token in enumerate(named):
        if statement.inserts_data and token == Token("word", "input"):
            continue  # the rows that come with the statement
        if token.kind in ("word", "quoted") and _reaches_out(token.text, outward) and not _is_column_of(statement.tokens, position):
            raise FrontError.refused(ACCESS_DENIED, f"{token.text} reaches outside the database and is not available over HTTP. (ACCESS_DENIED)")
    for name in _IDENTIFIER_PARAMETER.findall(statement.sql):
        value = parameters.get(name, "")
        if not _PLAIN_NAME.fullmatch(value) or any(_reaches_out(part, outward) for part in value.split(".")):
            raise FrontError.refused(ACCESS_DENIED, f"parameter {name} is not a plain name of a table or column. (ACCESS_DENIED)")


def _ends_with_format(tokens: tuple[Token, ...]) -> bool:
    """Whether the last word is a format's name, if anything's: nothing follows that could call it."""
    return len(tokens) > 1 and tokens[-1].kind == "word" and tokens[-2].kind == "word" and tokens[-2].text.upper() == "FORMAT"


def _reaches_out(name: str, outward: frozenset[str]) -> bool:
    lower = name.lower()
    return lower in outward or (lower.startswith("ai") and name[2:3].isupper())


def _is_column_of(tokens: tuple[Token, ...], position: int) -> bool:
    """``pages.url``: a column named like a function, qualified, and not called."""
    called = position + 1 < len(tokens) and tokens[position + 1].text == "("
    qualified = (
        position > 1 and tokens[position - 1].text == "." and tokens[position - 2].kind in ("word", "quoted") and not tokens[position - 2].text[:1].isdigit()
    )
    return qualified and not called


def _is_insert(query: bytes) -> bool:
    for found in _TOKEN.finditer(query):
        if found.lastgroup != "space":
            return found.group().upper() == b"INSERT"
    return False


def _split_insert(whole: bytes, separate_data: bytes | None) -> tuple[bytes, bytes | memoryview | None]:
    """Head without its FORMAT, and data: after ``FORMAT name`` comes one line end, never more (a Native block may begin with 9, 10, 13 or 32)."""
    found = next((hit for hit in _INSERT_FORMAT.finditer(whole) if _outside_quotes(whole, hit.start())), None)
    if found is None or found[1].upper() == b"VALUES":
        return (whole if separate_data is None else whole + b"\n" + separate_data), None
    if separate_data is not None:
        return whole, separate_data
    start = found.end()
    if whole.startswith(b"\r\n", start):
        start += 2
    elif whole[start : start + 1] in (b"\n", b" "):
        start += 1
    return whole[: found.end()], memoryview(whole)[start:]


def _outside_quotes(query: bytes, position: int) -> bool:
    """Whether a position is the start of a token; the text before it is read, the data after it never is."""
    at = 0
    while at < position:
        found = _TOKEN.match(query, at)
        if found is None:
            return False
        at = found.end()
    return at == position


def _tokens(query: bytes) -> tuple[Token, ...]:
    tokens: list[Token] = []
    at = 0
    while at < len(query):
        found = _TOKEN.match(query, at)
        if found is None:
            raise FrontError.refused(
                SYNTAX_ERROR,
                f"Syntax error: cannot read the query at position {at}: escaped identifiers, heredocs and # comments are not supported here. (SYNTAX_ERROR)",
            )
        at = found.end()
        kind = found.lastgroup or ""
        if kind != "space":
            text = _decode(found.group())
            tokens.append(Token(kind, text[1:-1] if kind == "quoted" else text))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if any(token.kind == "sign" and token.text == ";" for token in tokens):
        raise FrontError.refused(SYNTAX_ERROR, "Syntax error: multi-statements are not allowed. (SYNTAX_ERROR)")
    return tuple(tokens)


def _format_of(tokens: tuple[Token, ...]) -> str | None:
    """The last ``FORMAT name`` of the statement."""
    named = [after.text for before, after in itertools.pairwise(tokens) if before.kind == "word" and before.text.upper() == "FORMAT" and after.kind == "word"]
    return named[-1] if named else None


def _decode(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise FrontError.refused(SYNTAX_ERROR, "Syntax error: the query is not UTF-8. (SYNTAX_ERROR)") from None
