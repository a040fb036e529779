"""`tinylm models`."""

from __future__ import annotations

import click

from tinylm.cli.console import show_json, show_table


@click.command("models")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def command(as_json: bool) -> None:
    """List the models that are here: shipped ones, and the one of this project."""
    from tinylm.catalogue import project_entry, shipped_entries
    from tinylm.project import find_project

    own = project_entry(find_project())
    entries = shipped_entries() + ([own] if own else [])
    if as_json:
        keys = ("name", "language", "kind", "licence", "language_bytes", "figures")
        show_json([{k: getattr(e, k) for k in keys} | {"folder": str(e.folder)} for e in entries])
        return
    rows = []
    for e in entries:
        measured = e.figures.get("evaluation", {})
        savings = f"{measured['mean_kss']:.1f} (@{measured['shown']})" if measured else ""
        where = "this project" if e is own else "shipped"
        rows.append([e.name, where, e.language, e.kind, f"{e.language_bytes:,}", savings, e.licence])
    columns = ["model", "from", "language", "kind", "language bytes", "keystrokes saved %", "licence"]
    show_table("", columns, rows, right=(4, 5))
