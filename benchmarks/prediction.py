#!/usr/bin/env python3
"""Rewrites the tables of benchmarks/prediction.md from benchmarks/results: each shipped model beside the n-gram of its bytes.

Knows what `tinylm evaluate --json`, learning.py, float_loss.py and training_speed.py write; measures nothing.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from report import replace_between

from tinylm.model import write_whole

HERE = Path(__file__).parent
RESULTS, PAGE = HERE / "results", HERE / "prediction.md"
END = "<!-- end of table -->"


def load(pattern: str) -> list[dict]:
    """The results of that name, smallest model first."""
    found = [json.loads(path.read_text("utf-8")) for path in sorted(RESULTS.glob(pattern))]
    return sorted(found, key=lambda row: row.get("language_bytes", 0))


def shipped(language: str = "en") -> list[dict]:
    """Evaluations of shipped networks of a language, the n-gram of their bytes beside them."""
    return [row for row in load(f"evaluate-{language}-*.json") if row.get("against")]


def interval(value: float, ends: list[float]) -> str:
    """'46.9 (46.5 to 47.2)'."""
    return f"{value:.1f} ({ends[0]:.1f} to {ends[1]:.1f})"


def render_budgets() -> str:
    """Every set with its interval, a row for the n-gram and one for the model."""
    rows = shipped()
    sets = list(rows[0]["texts"])
    out = [
        "| model | kind | language bytes | lines | mean | " + " | ".join(sets) + " |",
        "|---|---|--:|--:|--:" + "|--:" * len(sets) + "|",
    ]
    for row in rows:
        for one in (row["against"][0], row):
            cells = [interval(one["texts"][name]["kss"], one["texts"][name]["interval"]) for name in sets]
            mean = f"{one['mean_kss']:.2f} ({one['mean']['interval'][0]:.2f} to {one['mean']['interval'][1]:.2f})"
            name = f"**{one['model']}**" if one is row else one["model"]
            out.append(
                f"| {name} | {one['kind']} | {one['language_bytes']:,} | {one['mean']['lines']:,} | {mean} | {' | '.join(cells)} |"
            )
    return "\n".join(out)


def render_gains() -> str:
    """What each is worth over its n-gram, lines drawn in pairs."""
    rows = shipped()
    sets = list(rows[0]["texts"])
    out = ["| model | over its n-gram | " + " | ".join(sets) + " |", "|---|--:" + "|--:" * len(sets) + "|"]
    for row in rows:
        less = row["against"][0]["less_than_first"]
        cells = [f"{less['texts'][name]['kss']:+.2f}" for name in sets]
        low, high = less["mean"]["interval"]
        out.append(
            f"| {row['model']} | **{less['mean']['kss']:+.2f}** ({low:+.2f} to {high:+.2f}) | {' | '.join(cells)} |"
        )
    return "\n".join(out)


def render_languages() -> str:
    """Of the other languages, one set each."""
    out = ["| model | kind | language bytes | lines | its n-gram | KSS@3 | over it |", "|---|---|--:|--:|--:|--:|--:|"]
    for row in [*shipped("de"), *shipped("fr")]:
        other = row["against"][0]
        less = other["less_than_first"]["mean"]
        cells = [interval(one["mean_kss"], one["mean"]["interval"]) for one in (other, row)]
        low, high = less["interval"]
        out.append(
            f"| {row['model']} | {row['kind']} | {row['language_bytes']:,} | {row['mean']['lines']:,} | {' | '.join(cells)} | "
            f"**{less['kss']:+.2f}** ({low:+.2f} to {high:+.2f}) |"
        )
    return "\n".join(out)


def render_companions() -> str:
    """The other figures, means of the sets."""
    out = [
        "| model | KSS@1 | KSS@3 | KSS@5 | next word: first, first 3 | first 3 after 1, 2, 3 letters | not known | bits a character |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for row in shipped():
        for one in (row["against"][0], row):
            mean = one["mean"]
            later = ", ".join(f"{share:.1f}" for share in mean["top3_after_letters"])
            bits = f"{mean['bits_per_character']:.2f}" if mean["bits_per_character"] else ""
            at = " | ".join(f"{mean['kss_at'][n]:.1f}" for n in "135")
            out.append(
                f"| {one['model']} | {at} | {mean['next_word_top1']:.1f}, {mean['next_word_top3']:.1f} | {later} | "
                f"{mean['out_of_vocabulary']:.1f} % | {bits} |"
            )
    return "\n".join(out)


def render_losses() -> str:
    """Float weights, rounded ones, the device."""
    out = [
        "| model | lines of each set, at most | float | rounded to 4 bits | the device's bytes | lost in all |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in sorted(load("float-loss-*.json"), key=lambda row: row["mean_kss"]["device"]):
        kss, lost = row["mean_kss"], row["loss_in_all"]
        each = " | ".join(f"{kss[name]:.2f}" for name in ("float", "rounded", "device"))
        low, high = lost["interval"]
        out.append(
            f"| {row['model']} | {max(row['lines'].values())} | {each} | {lost['kss']:+.2f} ({low:+.2f} to {high:+.2f}) |"
        )
    return "\n".join(out)


def render_learning() -> str:
    """The gain of lines by where they stand in a user's stream."""
    rows = json.loads((RESULTS / "learning.json").read_text("utf-8"))["measured"]
    blocks = len(rows[0]["blocks"])
    heads = " | ".join(f"{100 * i + 1} to {100 * (i + 1)}" for i in range(blocks))
    out = [
        f"| model | memory, bytes | without | learning | gain | {heads} |",
        "|---|--:|--:|--:|--:" + "|--:" * blocks + "|",
    ]
    for row in rows:
        gains = " | ".join(f"{learned - plain:+.1f}" for plain, learned in row["blocks"])
        out.append(
            f"| {row['model']} | {row['memory_bytes']:,} | {row['without']:.2f} | {row['with']:.2f} | "
            f"**{row['with'] - row['without']:+.2f}** | {gains} |"
        )
    return "\n".join(out)


def render_training() -> str:
    """Words a second of processor time, by shape and phase."""
    rates: dict[tuple, dict[bool, int]] = {}
    for row in json.loads((RESULTS / "training-speed.json").read_text("utf-8")):
        phase = row["phase"] + (f", taught by {row['taught_rows']} rows a place" if row["taught_rows"] else "")
        rates.setdefault((*row["shape"], phase), {})[row["compiled"]] = row["words_a_cpu_second"]
    out = ["| rows | embedding | H | scored | op by op | compiled |", "|--:|--:|--:|---|--:|--:|"]
    for (rows, embedding, hidden, phase), of in rates.items():
        out.append(f"| {rows:,} | {embedding} | {hidden} | {phase} | {of[False]:,} | {of[True]:,} |")
    return "\n".join(out)


def render_small() -> str:
    """What any split of 24 KB can save: each row of splits bounded by words and a network that do not fit together."""
    found = json.loads((RESULTS / "small-budget.json").read_text("utf-8"))
    names = {"a network that fits": "en-24k's split", "a mixture": "a mixture, as `tinylm train` splits it"}
    out = [
        "| | network | its bytes | words | their bytes | language bytes | mean KSS@3 | over the n-gram |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in found["rows"]:
        name, network = names.get(row["what"], row["what"]), [""] * 4
        if "network_bytes" in row:
            shape = f"{row['rows']:,} rows, d {row['embedding']}, H {row['hidden']}"
            network = [shape, *(f"{row[key]:,}" for key in ("network_bytes", "words", "lexicon_bytes"))]
        if row["what"] == "at most":
            name = f"splits with a network of {row['larger_than'] + 1:,} to {row['network_bytes']:,} bytes, at most"
        gain = (
            f"**{row['gain']:+.2f}** ({row['interval'][0]:+.2f} to {row['interval'][1]:+.2f})" if "gain" in row else ""
        )
        out.append(f"| {name} | {' | '.join(network)} | {row['language_bytes']:,} | {row['mean_kss']:.2f} | {gain} |")
    return "\n".join(out)


TABLES = {
    "budgets": render_budgets,
    "gains": render_gains,
    "languages": render_languages,
    "companions": render_companions,
    "losses": render_losses,
    "learning": render_learning,
    "training": render_training,
    "small": render_small,
}


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the page is not what the results say.")
def command(check: bool) -> None:
    """Rewrite the tables of benchmarks/prediction.md."""
    before = after = PAGE.read_text("utf-8")
    for name, render in TABLES.items():
        after = replace_between(after, render() + "\n", f"<!-- {name}: python benchmarks/prediction.py -->", END)
    if check and after != before:
        raise click.ClickException(f"'{PAGE.name}' is not what the results say; run: python benchmarks/prediction.py")
    if not check:
        write_whole(PAGE, after.encode())


if __name__ == "__main__":
    command()
