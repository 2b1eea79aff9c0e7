"""Every setting of every process, from the environment: ``FENGHUO_<SECTION>__<NAME>``, or ``..._FILE`` with the path of a file that holds the value.

Each folder owns the section it reads; this page composes them. A name that does not exist is refused, with the nearest one that
does: a misspelt safety setting must not be silently without effect.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_origin

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from alerting.settings import PolicySettings
from deploy.errors import UserError
from schemas.connection import KafkaSettings
from sinks.settings import ClickHouseSettings, SinkSettings
from streams.settings import WorkerSettings

PREFIX = "FENGHUO_"
#: A name with the prefix that is no setting: the tests find real data sets by it.
TEST_DATA = "FENGHUO_DATA"


class LogSettings(BaseModel):
    """How a process writes its log."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="least important level that is written")
    format: Literal["auto", "human", "json"] = Field("auto", description="auto: for people on a terminal, JSON lines elsewhere")


class ProbeSettings(BaseModel):
    """Where a process answers /metrics, /livez, /readyz and /version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    enabled: bool = Field(True, description="serve the probes")
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    port: int | None = Field(None, ge=0, le=65535, description="port; when not set, the process's own default, or the next free one")


class EmbeddedSettings(BaseModel):
    """The embedded broker and ClickHouse of `up`, `demo` and `run`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Field(
        Path("fenghuo-data"), description="folder of the embedded ClickHouse; emptied when the stack starts, since the embedded broker starts empty too"
    )
    broker_port: int | None = Field(None, ge=1, le=65535, description="port of the embedded broker; when not set, 9092 or the next free one")
    clickhouse_port: int | None = Field(None, ge=1, le=65535, description="HTTP port of the embedded ClickHouse; when not set, 8123 or the next free one")


class Settings(BaseSettings):
    """All sections. Read-only once loaded."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True)

    kafka: KafkaSettings = KafkaSettings()
    worker: WorkerSettings = WorkerSettings()
    clickhouse: ClickHouseSettings = ClickHouseSettings()
    sink: SinkSettings = SinkSettings()
    policy: PolicySettings = PolicySettings()
    log: LogSettings = LogSettings()
    probes: ProbeSettings = ProbeSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing but what ``load_settings`` hands over: it reads the environment itself, to refuse unknown names."""
        return (init_settings,)


@dataclass(frozen=True)
class Declared:
    """One setting as declared: its place in ``Settings`` and its environment variable."""

    path: tuple[str, str]
    field: FieldInfo

    @property
    def variable(self) -> str:
        return PREFIX + "__".join(self.path).upper()

    @property
    def is_map(self) -> bool:
        """A map of names to values: entries are set one by one, ``FENGHUO_KAFKA__SECURITY__SASL_MECHANISM``, or as JSON."""
        return get_origin(self.field.annotation) is dict

    @property
    def is_text(self) -> bool:
        return get_origin(self.field.annotation) not in (dict, list, tuple, set, frozenset)


def declared_settings() -> Iterator[Declared]:
    """Every setting, section by section, in the order of declaration."""
    for section, outer in Settings.model_fields.items():
        model = outer.annotation
        assert isinstance(model, type)
        assert issubclass(model, BaseModel)
        for name, field in model.model_fields.items():
            yield Declared((section, name), field)


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The effective settings. Raises UserError in one line for an unknown name, an unreadable file or a value that does not fit; values are not repeated."""
    values = _from_environment(os.environ if environ is None else environ)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise UserError(
            "; ".join(_complaint(problem) for problem in error.errors(include_input=False, include_url=False)), "fenghuo config lists the settings"
        ) from None


def _complaint(problem: Any) -> str:
    variable = PREFIX + "__".join(str(part) for part in problem["loc"]).upper()
    return f"{variable}: {problem['msg']}"


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    known = {declared.variable: declared for declared in declared_settings()}
    values: dict[str, dict[str, Any]] = {}
    set_by: dict[tuple[str, ...], str] = {}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == TEST_DATA:
            continue
        variable, text = name, environ[name]
        declared, entry = _find(variable, known)
        if declared is None and variable.endswith("_FILE"):
            declared, entry = _find(variable.removesuffix("_FILE"), known)
            text = _read_secret(name, text)
        elif declared is not None and entry and entry.endswith(".file"):
            entry, text = entry.removesuffix(".file"), _read_secret(name, text)
        if declared is None:
            nearest = difflib.get_close_matches(name, known, n=1)
            raise UserError(f"unknown setting {name}", f"did you mean {nearest[0]}?" if nearest else "fenghuo config lists the settings")
        place = (*declared.path, entry) if entry else declared.path
        if place in set_by:
            raise UserError(f"{name} and {set_by[place]} both set the same thing", "keep one of them")
        set_by[place] = name
        section = values.setdefault(declared.path[0], {})
        if entry:
            section.setdefault(declared.path[1], {})[entry] = text
        elif declared.is_map:
            section.setdefault(declared.path[1], {}).update(_json(name, text))
        else:
            section[declared.path[1]] = text if declared.is_text else _json(name, text)
    return values


def _find(variable: str, known: Mapping[str, Declared]) -> tuple[Declared | None, str | None]:
    """The setting a variable names and, for an entry of a map, the entry: ``SASL_MECHANISM`` is ``sasl.mechanism``."""
    if variable in known:
        return known[variable], None
    outer, _, entry = variable.rpartition("__")
    if outer in known and known[outer].is_map and entry:
        return known[outer], entry.lower().replace("_", ".")
    return None, None


def _read_secret(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise UserError(f"{name}: cannot read {path}: {reason}", "mount the secret there, or point the variable elsewhere") from None


def _json(name: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise UserError(f"{name}: not JSON", "write a JSON object or list") from None


def effective(settings: Settings) -> dict[str, dict[str, Any]]:
    """All settings as plain data for people and logs: secrets are ``**********``."""
    return {section: _redacted(getattr(settings, section)) for section in type(settings).model_fields}


def _redacted(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return {name: _redacted(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, SecretStr):
        return str(value)
    if isinstance(value, dict):
        return {name: _redacted(inner) for name, inner in value.items()}
    return value if isinstance(value, (str, int, float, bool, list, type(None))) else str(value)


def render_settings() -> str:
    """The settings as a Markdown table, for ``docs/operating.md``."""
    defaults = effective(Settings())
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for declared in declared_settings():
        section, name = declared.path
        default = defaults[section][name]
        shown = "-" if default in (None, "", {}, []) else f"`{default}`" if isinstance(default, str) else f"`{json.dumps(default)}`"
        rows.append(f"| `{declared.variable}` | {shown} | {declared.field.description or ''} |")
    return "\n".join(rows)
