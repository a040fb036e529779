"""`tinylm adopt`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("adopt", context_settings={"show_default": True})
@click.argument("tflite", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--vocabulary",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What each id is, one a line from id 0 on: words, or letters and a space.",
)
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Model folder.  [default: the .tflite's name]")
@click.option("--language", default="en", help="Language of the words.")
@click.option("--licence", default="unknown", help="Licence of the weights, for the model's card.")
def command(tflite: Path, vocabulary: Path, output: Path | None, language: str, licence: str) -> None:
    """Make a model folder of a step .tflite from Keras and TensorFlow's converter.

    The graph is one step: an int32 id (or the last ids) and int8 states in, the states and int8 logits out;
    examples/foreign/README.md shows how to make one. `tinylm build`, `type` and `predict` then take the folder as --model.
    """
    from tinylm.foreign import adopt_files

    adopted = adopt_files(tflite, vocabulary, output or tflite.with_suffix(""), language, licence)
    info, left_out = adopted.model.info, adopted.left_out
    click.echo(f"'{adopted.folder}' is a {info.kind} model: {adopted.rows:,} rows, {adopted.state_bytes} bytes of state, "
               f"{adopted.language_bytes:,} language bytes.")  # fmt: skip
    for name in adopted.requantized:
        click.echo(f"The state '{name}' comes out at another scale than it goes in: a QUANTIZE was added.")
    if left_out:
        named = ", ".join(repr(entry) for entry in left_out[:8]) + (", ..." if len(left_out) > 8 else "")
        click.echo(f"Left out, as nobody types them ({len(left_out):,}): {named}")
    click.echo(f"Next: tinylm build --board qemu-cortex-m4 --model {adopted.folder}")
