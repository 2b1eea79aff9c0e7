"""``fenghuo policy``: is a policy pack sound, what does it say, and what changed."""

from __future__ import annotations

import json
from typing import Annotated

import typer

PackName = Annotated[str | None, typer.Argument(metavar="PACK", help="A shipped pack's name or a directory; the configured pack if left out.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    policy = typer.Typer(
        help="Check, show and compare policy packs.",
        no_args_is_help=True,
        rich_markup_mode=None,
        epilog="\b\nExamples:\n  fenghuo policy check\n  fenghuo policy show churn.salary-gone\n  fenghuo policy diff bank-cn ./my-pack",
    )
    app.add_typer(policy, name="policy")

    @policy.command(epilog="\b\nExamples:\n  fenghuo policy check\n  fenghuo policy check ./my-pack --json")
    def check(pack: PackName = None, as_json: AsJson = False) -> None:
        """Validate a pack. Every problem is named with file, line and remedy; exit code 1 if there is one."""
        from alerting.pack import load_pack
        from alerting.problems import PackError
        from deploy.errors import Failed
        from deploy.settings import load_settings

        name = pack or load_settings().policy.pack
        try:
            loaded = load_pack(name)
        except PackError as error:
            if as_json:
                listed = [{"file": p.file, "line": p.line, "message": p.message, "remedy": p.remedy} for p in error.problems]
                typer.echo(json.dumps({"pack": name, "ok": False, "problems": listed}, indent=2, ensure_ascii=False))
                raise typer.Exit(1) from None
            for problem in error.problems:
                typer.echo(f"{problem.place}: {problem.message}\n    {problem.remedy}")
            count = len(error.problems)
            raise Failed(f"{name}: {count} problem{'' if count == 1 else 's'}", "nothing runs with this pack until they are put right") from None
        if as_json:
            summary = {"pack": loaded.name, "version": loaded.version, "fingerprint": loaded.fingerprint, "ok": True}
            typer.echo(json.dumps(summary | {"rules": [rule.id for rule in loaded.rules]}, indent=2))
            return
        typer.echo(f"{loaded.name} {loaded.version} is sound: {len(loaded.rules)} rules, {loaded.currency}, {loaded.timezone}")
        typer.echo(f"content {loaded.fingerprint}: when it changes, raise the version, because alerts carry the version")

    @policy.command(epilog="\b\nExamples:\n  fenghuo policy show\n  fenghuo policy show churn.salary-gone --pack bank-cz")
    def show(
        rule: Annotated[str | None, typer.Argument(metavar="RULE", help="A rule's id; all rules in a table if left out.")] = None,
        pack: Annotated[str | None, typer.Option(help="A shipped pack's name or a directory.")] = None,
        as_json: AsJson = False,
    ) -> None:
        """Print the rules of a pack, or one rule as it counts: layers merged."""
        import yaml

        from alerting.difference import page
        from alerting.problems import suggestion
        from deploy.errors import UserError
        from deploy.replaying import load_policy

        loaded = load_policy(pack)
        if rule is not None:
            found = loaded.rule(rule)
            if found is None:
                raise UserError(f"{loaded.name} has no rule {rule}", suggestion(rule, (known.id for known in loaded.rules)))
            text = page(found)
            typer.echo(
                json.dumps(text, indent=2, ensure_ascii=False)
                if as_json
                else f"# {found.place}\n" + yaml.safe_dump(text, allow_unicode=True, sort_keys=False, width=160)
            )
            return
        if as_json:
            rows = [
                {"rule": r.id, "version": r.version, "type": r.type, "subject": r.subject, "owner": r.owner, "title": r.title.model_dump()}
                for r in loaded.rules
            ]
            typer.echo(json.dumps({"pack": loaded.name, "version": loaded.version, "rules": rows}, indent=2, ensure_ascii=False))
            return
        width = max((len(r.id) for r in loaded.rules), default=0)
        for r in loaded.rules:
            typer.echo(f"{r.id:<{width}}  v{r.version}  {r.subject:<9}  {r.owner:<20}  {r.title.en} · {r.title.zh}")

    @policy.command(epilog="\b\nExamples:\n  fenghuo policy diff bank-cn ./my-pack\n  fenghuo policy diff bank-cn bank-cz --json")
    def diff(
        before: Annotated[str, typer.Argument(metavar="A", help="The pack in force.")],
        after: Annotated[str, typer.Argument(metavar="B", help="The pack to compare.")],
        as_json: AsJson = False,
    ) -> None:
        """Say which rules and which policy data differ between two packs."""
        from dataclasses import asdict

        from alerting.difference import differences
        from deploy.replaying import load_policy

        old, new = load_policy(before), load_policy(after)
        changes = differences(old, new)
        if as_json:
            typer.echo(json.dumps([asdict(change) for change in changes], indent=2, ensure_ascii=False))
            return
        if not changes:
            typer.echo("no difference")
        heading: str | None = None
        for change in changes:
            title = change.rule or "pack"
            if title != heading:
                heading = title
                typer.echo(title)
            typer.echo(f"  {change.path}: {'(none)' if change.before is None else change.before}  ->  {'(none)' if change.after is None else change.after}")
        if changes and (old.name, old.version) == (new.name, new.version) and old.fingerprint != new.fingerprint:
            typer.echo("both call themselves the same version: raise the version of the new one, because alerts carry it")
