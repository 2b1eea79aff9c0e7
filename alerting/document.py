"""A YAML file as plain strings, lists and mappings, with the line each came from.

Every scalar stays a string: ``on`` does not turn into true, ``12:30`` not into 750, and an amount never into a float. What a
value means is for the model that reads it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from alerting.problems import PackError, Problem

Path_ = tuple[str | int, ...]


@dataclass(slots=True)
class Document:
    """``data`` holds only str, list and dict; ``places`` the file and line of each value by its path."""

    file: str
    data: dict[str, Any]
    places: dict[Path_, tuple[str, int]] = field(default_factory=dict)

    def place(self, path: Path_) -> tuple[str, int]:
        """File and line of the value at ``path``, or of the nearest value that contains it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return self.file, 1

    def problem(self, path: Path_, message: str, remedy: str) -> Problem:
        """A problem at the place of ``path``."""
        return Problem(*self.place(path), message, remedy)

    def over(self, base: Document) -> Document:
        """This document's top-level keys laid over those of ``base``."""
        places = {path: place for path, place in base.places.items() if path[0] not in self.data}
        return Document(self.file, base.data | self.data, places | self.places)


class _Loader(yaml.BaseLoader):
    """Strings only, and no aliases: a page that is signed reads from top to bottom."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not allowed", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        return super().compose_node(parent, index)


def read_document(path: Path, shown: str) -> Document:
    """Read one file that holds a mapping. Raises PackError."""
    try:
        root = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise PackError([Problem(shown, line, f"not YAML: {error.problem}", "mind indentation, colons and quotes")]) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PackError([Problem(shown, 0, f"cannot be read: {type(error).__name__}", "the file must be readable UTF-8 text")]) from None
    if not isinstance(root, yaml.MappingNode):
        raise PackError([Problem(shown, 1, "the file does not hold keys and values", "start it with a key such as `rule:`")])
    document = Document(shown, {})
    problems: list[Problem] = []
    document.data = _plain(root, (), document, problems)
    if problems:
        raise PackError(problems)
    return document


def _plain(node: yaml.Node, path: Path_, document: Document, problems: list[Problem]) -> Any:
    if path:
        document.places.setdefault(path, (document.file, node.start_mark.line + 1))
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*path, index), document, problems) for index, item in enumerate(node.value)]
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            problems.append(Problem(document.file, line, "a key must be a word", "write `key: value`"))
            continue
        if key_node.value in mapping:
            problems.append(Problem(document.file, line, f"{key_node.value} is given twice", "remove one of the two"))
            continue
        document.places[(*path, key_node.value)] = (document.file, line)
        mapping[key_node.value] = _plain(value_node, (*path, key_node.value), document, problems)
    return mapping
