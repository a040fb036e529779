#!/usr/bin/env python3
"""Counts the texts under examples/texts and rewrites the table of their README.

Knows what a line, a word and an opening of these texts is; tests/test_example_texts.py measures with the same functions.
Says nothing about what a text is worth to a model: benchmarks/text.md does.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from tinylm.corpus import ALPHABETS, word_finder
from tinylm.model import write_whole

TEXTS = Path(__file__).resolve().parent.parent / "examples" / "texts"
LANGUAGES = ("en", "de", "fr", "shell")
BEGIN, END = "<!-- table: python benchmarks/texts.py -->", "<!-- end of table -->"


@dataclass(frozen=True)
class Text:
    """One file: its lines as written, and each as words (lower case; of a command line, what spaces part)."""

    language: str
    path: Path
    lines: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]


def words_of(language: str) -> Callable[[str], list[str]]:
    """How a line of this language becomes words."""
    return word_finder(ALPHABETS[language]) if language in ALPHABETS else str.split


def load_text(path: Path, language: str) -> Text:
    """Read one file. Raises UnicodeDecodeError when it is not UTF-8."""
    lines = tuple(path.read_bytes().decode("utf-8").split("\n")[:-1])
    split = words_of(language)
    return Text(language, path, lines, tuple(tuple(split(line)) for line in lines))


def load_texts(language: str, folder: Path = TEXTS) -> list[Text]:
    """Every file of a language, sorted by name."""
    return [load_text(path, language) for path in sorted((folder / language).glob("*.txt"))]


def count_words(lines: Iterable[tuple[str, ...]]) -> int:
    """Words of all lines."""
    return sum(map(len, lines))


def count_bigrams(lines: Iterable[tuple[str, ...]], most_words: int | None = None) -> int:
    """Distinct pairs of neighbours within lines, of the first `most_words` words (of all when None)."""
    pairs: set[tuple[str, str]] = set()
    seen = 0
    for words in lines:
        if most_words is not None:
            words = words[: most_words - seen]
            seen += len(words)
        pairs.update(zip(words, words[1:]))
        if seen == most_words:
            break
    return len(pairs)


def count_openings(text: Text) -> Counter[tuple[str, ...]]:
    """How often each three words begin a line."""
    return Counter(words[:3] for words in text.words if len(words) >= 3)


def share_of_questions(lines: tuple[str, ...]) -> float:
    """Lines with a question mark, 0..1."""
    return sum("?" in line for line in lines) / max(len(lines), 1)


def render_row(name: str, texts: list[Text]) -> str:
    """One row of the table; of several texts, what they hold together."""
    lines = tuple(line for text in texts for line in text.lines)
    words = [words for text in texts for words in text.words]
    questions = "" if texts[0].language == "shell" else f"{100 * share_of_questions(lines):.0f} %"
    return f"| {name} | {len(lines):,} | {count_words(words):,} | {count_bigrams(words):,} | {questions} |"


def render_table(folder: Path = TEXTS) -> str:
    """Markdown: a row for each file and one for each language."""
    out = ["| file | lines | words | distinct bigrams | questions |", "|---|--:|--:|--:|--:|"]
    for language in LANGUAGES:
        texts = load_texts(language, folder)
        out += [render_row(f"{language}/{text.path.name}", [text]) for text in texts]
        if len(texts) > 1:
            out.append(render_row(f"**{language} together**", texts))
    return "\n".join(out)


def replace_table(readme: str, table: str) -> str:
    """The text with the table between the markers. Raises click.ClickException when they are not there."""
    head, begin, rest = readme.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise click.ClickException(f"The markers '{BEGIN}' and '{END}' are not in the text; put them where it goes.")
    return f"{head}{begin}\n{table}\n{end}{tail}"


def draw_lines(texts: list[Text], count: int, seed: int) -> list[str]:
    """So many lines of all files, each with its file and number: what the README's reader's note was written on."""
    lines = [f"{text.path.stem}:{number} {line}" for text in texts for number, line in enumerate(text.lines, 1)]
    return random.Random(seed).sample(lines, min(count, len(lines)))


@click.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the README is not up to date.")
@click.option("--draw", type=click.Choice(LANGUAGES), help="Only print lines of this language, drawn at random.")
@click.option("--lines", default=200, show_default=True, type=click.IntRange(1), help="How many lines --draw prints.")
@click.option("--seed", default=11, show_default=True, help="Which lines --draw prints.")
def command(check: bool, draw: str | None, lines: int, seed: int) -> None:
    """Print the table of examples/texts and put it into its README."""
    if draw:
        click.echo("\n".join(draw_lines(load_texts(draw), lines, seed)))
        return
    readme = TEXTS / "README.md"
    before = readme.read_text(encoding="utf-8")
    table = render_table()
    click.echo(table)
    after = replace_table(before, table)
    if check and after != before:
        raise click.ClickException(f"'{readme}' is not what the texts say; run: python benchmarks/texts.py")
    if not check:
        write_whole(readme, after.encode())


if __name__ == "__main__":
    command()
