"""What a client asks for over HTTP, taken apart: who it is, the statement, its parameters, and the settings meant for the engine."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email import message_from_bytes
from email.message import Message

import lz4.frame

from deploy.embedded.front.errors import SUPPORT_IS_DISABLED, SYNTAX_ERROR, TOO_MANY_BYTES, UNKNOWN_FORMAT, FrontError

#: URL parameters that are about the request, not settings of the engine.
TRANSPORT = frozenset(
    {
        "buffer_size",
        "cancel_http_readonly_queries_on_client_close",
        "client_protocol_version",
        "compress",
        "database",
        "decompress",
        "default_format",
        "enable_http_compression",
        "http_headers_progress_interval_ms",
        "http_zlib_compression_level",
        "password",
        "query",
        "query_id",
        "quota_key",
        "role",
        "send_progress_in_http_headers",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)
DEFAULT_SESSION_SECONDS = 60.0
#: The largest body, as it comes and unpacked: it is held in memory, and a few kilobytes may unpack to many gigabytes.
MOST_BODY_BYTES = 1 << 30
DEFAULT_USER = "default"


@dataclass(frozen=True)
class Asked:
    """One request. ``query`` is the URL's, ``body`` what was posted, no longer compressed."""

    user: str
    password: str
    query: bytes
    body: bytes
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    database: str | None
    default_format: str | None
    session_id: str | None
    session_timeout: float
    session_check: bool
    reading_only: bool


def take_apart(method: str, url: Mapping[str, str], headers: Mapping[str, str], body: bytes, form: Mapping[str, str]) -> Asked:
    """The request's parts. ``form`` holds the text fields of a multipart body. Raises FrontError for what cannot be read."""
    fields = {**url, **form}
    user, password = _credentials(fields, headers)
    return Asked(
        user=user,
        password=password,
        query=fields.get("query", "").encode(),
        body=_decompressed(body, headers.get("content-encoding", "")),
        parameters={name.removeprefix("param_"): value for name, value in fields.items() if name.startswith("param_")},
        settings={name: value for name, value in fields.items() if name not in TRANSPORT and not name.startswith("param_")},
        database=fields.get("database") or headers.get("x-clickhouse-database") or None,
        default_format=fields.get("default_format") or headers.get("x-clickhouse-format") or None,
        session_id=fields.get("session_id") or None,
        session_timeout=_seconds(fields.get("session_timeout")),
        session_check=fields.get("session_check") == "1",
        reading_only=method in ("GET", "HEAD"),
    )


def text_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a multipart form: clients send long statements and parameters so. Raises FrontError for files (external data)."""
    fields: dict[str, str] = {}
    for part in message_from_bytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body).get_payload():
        name = part.get_param("name", header="content-disposition") if isinstance(part, Message) else None
        if not isinstance(part, Message) or not isinstance(name, str) or part.get_filename():
            raise FrontError.refused(SUPPORT_IS_DISABLED, "external data is not supported here. (SUPPORT_IS_DISABLED)")
        value = part.get_payload(decode=True)
        try:
            fields[name] = value.decode() if isinstance(value, bytes) else ""
        except UnicodeDecodeError:
            raise FrontError.refused(SYNTAX_ERROR, "a field of the form is not UTF-8. (SYNTAX_ERROR)") from None
    return fields


def _credentials(fields: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return user, password
    if "x-clickhouse-user" in headers:
        return headers["x-clickhouse-user"], headers.get("x-clickhouse-key", "")
    return fields.get("user", DEFAULT_USER), fields.get("password", "")


def refuse_large(size: int) -> None:
    """Raise FrontError for a body of more bytes than are held."""
    if size > MOST_BODY_BYTES:
        raise FrontError.refused(TOO_MANY_BYTES, f"the body is larger than {MOST_BODY_BYTES:,} bytes: send it in parts. (TOO_MANY_BYTES)")


def _decompressed(body: bytes, encoding: str) -> bytes:
    try:
        unpacked, whole = _unpacked(body, encoding.lower())
    except (RuntimeError, OSError, EOFError, zlib.error):
        whole = False
    else:
        refuse_large(len(unpacked))
    if not whole:
        raise FrontError.refused(UNKNOWN_FORMAT, f"the body is not {encoding}")
    return unpacked


def _unpacked(body: bytes, encoding: str) -> tuple[bytes, bool]:
    """The body, at most one byte too many, and whether all of it was read."""
    most = MOST_BODY_BYTES + 1
    match encoding:
        case "" | "identity":
            return body, True
        case "lz4":
            frame = lz4.frame.LZ4FrameDecompressor()
            unpacked = bytes(frame.decompress(body, max_length=most))
            return unpacked, frame.eof or len(unpacked) == most
        case "gzip":
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as members:
                return members.read(most), True
        case "deflate":
            stream = zlib.decompressobj()
            unpacked = stream.decompress(body, most)
            return unpacked, stream.eof or len(unpacked) == most
    raise FrontError.refused(UNKNOWN_FORMAT, f"Content-Encoding {encoding} is not supported here: use lz4, gzip, deflate or none")


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text) if text else DEFAULT_SESSION_SECONDS
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise FrontError.refused(SYNTAX_ERROR, "session_timeout is not a number of seconds. (SYNTAX_ERROR)")
    return seconds
