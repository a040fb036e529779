"""`tinylm predict`."""

from __future__ import annotations

import sys

import click

from tinylm.cli.console import show_json


@click.command("predict", context_settings={"show_default": True})
@click.argument("text", required=False)
@click.option(
    "--model", "-m", help="Model name or folder.  [default: the project's, else the largest shipped, up to 256 KB]"
)
@click.option("--count", "-n", default=3, type=click.IntRange(1, 5), help="How many suggestions.")
@click.option(
    "--jsonl", is_flag=True, help='Answer JSON lines {"context": "how are", "prefix": "y"} from standard input.'
)
@click.option("--port", help="Ask the device on this serial port (or socket://HOST:PORT) instead.")
@click.option("--emulate", "board", metavar="BOARD", help="Ask a board's build, booted in its emulator, instead.")
@click.option("--json", "as_json", is_flag=True, help="Print the suggestions as JSON.")
def command(
    text: str | None, model: str | None, count: int, jsonl: bool, port: str | None, board: str | None, as_json: bool
) -> None:
    """Suggest words that continue TEXT: `tinylm predict "how are y"`.

    A TEXT that ends in a space asks for the next word. The model runs on this computer, in the same C as on a board.
    """
    from tinylm.answering import answer_lines, answer_text, lower_answer, open_answers

    if jsonl == (text is not None):
        raise click.UsageError('Give a text (tinylm predict "how are y") or --jsonl, one of them.')
    with open_answers(model, port, board) as answers:
        if jsonl:
            for lines in answer_lines(answers, sys.stdin.buffer, count):
                sys.stdout.write(lines)
                sys.stdout.flush()
            return
        suggestions = answer_text(answers, text, count)
    if as_json:
        show_json({"text": text, **lower_answer(text, suggestions)})
    else:
        click.echo("  ".join(suggestions) if suggestions else "(no suggestion)")
