"""Roles as a configuration file of ClickHouse: the way in which the embedded one, which keeps no users that SQL can make, takes them.

An embedded ClickHouse knows one user, ``default``, whose rights come from a file. So each role's statements are written into such a
file word for word (a file has no ``TO role``), and a process of its own is that role: ClickHouse's own access control then allows
and refuses. Two things have no form in a file: ``CHANGEABLE_IN_READONLY`` (its settings stay fixed there) and ``AS RESTRICTIVE``
(a file's filter is the only one of its table, so it decides alone, as a restrictive one beside ``USING 1`` does).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape

_ROLE = re.compile(r"(?:CREATE ROLE IF NOT EXISTS|ALTER ROLE) (\w+)(?: SETTINGS (.+))?")
_GRANT = re.compile(r"(GRANT .+) TO (\w+)")
_REVOKE = re.compile(r"(REVOKE .+) FROM (\w+)")
_POLICY = re.compile(r"CREATE ROW POLICY OR REPLACE \w+ ON (\w+)\.(\w+) FOR SELECT USING (.+?) (?:AS RESTRICTIVE )?TO (\w+)")
_VIEW = re.compile(r"CREATE OR REPLACE VIEW .+")
_SETTING = re.compile(r"(\w+) = (\d+)(?: MIN \d+)?(?: MAX \d+)?(?: READONLY| CHANGEABLE_IN_READONLY)")
_EVERYBODY = "ALL"


@dataclass
class Role:
    """What the statements gave a role."""

    grants: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    filters: dict[tuple[str, str], str] = field(default_factory=dict)


def roles_of(statements: Iterable[str]) -> dict[str, Role]:
    """Roles by name, after the statements in their order. Raises ValueError for one that cannot be written into a file."""
    roles: dict[str, Role] = {}
    for statement in statements:
        sql = " ".join(line for line in statement.splitlines() if not line.startswith("--")).strip()
        if made := _ROLE.fullmatch(sql):
            role = roles.setdefault(made[1], Role())
            if made[2]:
                role.settings = dict(map(_setting, made[2].split(", ")))
        elif _VIEW.fullmatch(sql):
            continue  # not a right: whoever gives them makes it
        elif (given := _GRANT.fullmatch(sql)) or (given := _REVOKE.fullmatch(sql)):
            roles[given[2]].grants.append(given[1])
        elif policy := _POLICY.fullmatch(sql):
            if policy[4] != _EVERYBODY:
                roles[policy[4]].filters[policy[1], policy[2]] = policy[3]
            elif policy[3] != "1":
                raise ValueError(f"a policy for everybody that hides rows: {sql}")
        else:
            raise ValueError(f"no form in a configuration file: {sql}")
    return roles


def _setting(text: str) -> tuple[str, str]:
    found = _SETTING.fullmatch(text)
    if found is None:
        raise ValueError(f"no form in a configuration file: {text}")
    return found[1], found[2]


def write_configuration(folder: Path, role: Role) -> Path:
    """A configuration file whose only user has that role, and nothing else."""
    folder.mkdir(parents=True, exist_ok=True)
    users, main = folder / "users.xml", folder / "main.xml"
    settings = "".join(f"<{name}>{value}</{name}>" for name, value in role.settings.items())
    fixed = "".join(f"<{name}><const/></{name}>" for name in role.settings)
    grants = "".join(f"<query>{escape(grant)}</query>" for grant in role.grants)
    filters: dict[str, str] = {}
    for (database, table), condition in role.filters.items():
        filters[database] = filters.get(database, "") + f"<{table}><filter>{escape(condition)}</filter></{table}>"
    databases = "".join(f"<{name}>{tables}</{name}>" for name, tables in filters.items())
    users.write_text(
        f"<clickhouse><profiles><default>{settings}<constraints>{fixed}</constraints></default></profiles><quotas><default/></quotas>"
        f"<roles><role><grants>{grants}</grants></role></roles>"
        "<users><default><password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>"
        f"<grants><query>GRANT role</query></grants><databases>{databases}</databases></default></users></clickhouse>",
        encoding="utf-8",
    )
    main.write_text(f"<clickhouse><users_config>{users}</users_config></clickhouse>", encoding="utf-8")
    return main
