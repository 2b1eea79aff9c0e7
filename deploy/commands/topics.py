"""``fenghuo topics``: the registry against the broker."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from deploy.topic_plan import Change

_AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    topics = typer.Typer(no_args_is_help=True, help="Compare the topics of the broker with the registry, and create or alter them.")
    app.add_typer(topics, name="topics")

    @topics.command(epilog="\b\nExamples:\n  fenghuo topics plan\n  FENGHUO_KAFKA__BOOTSTRAP_SERVERS=kafka:9092 fenghuo topics plan --json")
    def plan(as_json: _AsJson = False) -> None:
        """Say what apply would do: create, alter, ok, or drift (a partition count that no command may change). Exit 1 if anything is not ok."""
        from deploy.settings import load_settings
        from deploy.topic_plan import Topics

        found = Topics(load_settings().kafka).plan()
        _show(found, as_json, done=False)
        if any(change.action != "ok" or not change.led for change in found):
            raise typer.Exit(1)

    @topics.command(epilog="\b\nExamples:\n  fenghuo topics apply --dry-run\n  fenghuo topics apply")
    def apply(
        as_json: _AsJson = False,
        dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would be done.")] = False,
    ) -> None:
        """Create missing topics and alter settings; nothing is ever deleted. Safe to repeat. Exit 1 if a topic has drifted."""
        from deploy.settings import load_settings
        from deploy.topic_plan import Topics

        topics = Topics(load_settings().kafka)
        found = topics.plan()
        after = found if dry_run else topics.apply(found)
        drifted = [change for change in after if change.action == "drift"]
        known = {change.topic.name for change in drifted}
        _show([change for change in found if change.topic.name not in known] + drifted, as_json, done=not dry_run)
        if drifted:
            raise typer.Exit(1)


def _show(changes: list[Change], as_json: bool, done: bool) -> None:
    if as_json:
        typer.echo(json.dumps({"done": done, "topics": [change.as_json() for change in changes]}, indent=2))
        return
    said = {"create": "created", "alter": "altered"} if done else {}
    width = max(len(change.topic.name) for change in changes)
    for change in changes:
        typer.echo(f"{said.get(change.action, change.action):<8} {change.topic.name:<{width}}  {change.detail}".rstrip())
