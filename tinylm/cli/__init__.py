"""The command line: one file a command, loaded when it is called. Parses and prints; every stage is elsewhere."""

from __future__ import annotations

import importlib
import os
import sys

import click

from tinylm import __version__
from tinylm.errors import TinylmError, nearest

# In the order of a person's way: name -> one line for `tinylm --help`, so that help loads no command's module.
COMMANDS = {
    "init": "Make a project folder with a commented tinylm.toml.",
    "train": "Train a model on your text.",
    "adopt": "Make a model folder of a step .tflite that you have.",
    "evaluate": "Measure a model: keystrokes saved on your text.",
    "models": "List the models that are here.",
    "boards": "List the boards, with what fits and how each is tested.",
    "build": "Build the firmware of a board with a model in it.",
    "emulate": "Boot a built image; its serial line is a port.",
    "flash": "Write a built image to a board.",
    "type": "Type with suggestions, on a board or an emulated one.",
    "bench": "Count what a model costs each emulated board.",
    "new-board": "Start the file of a board that is not listed.",
    "predict": "Suggest words for a text, or for JSON lines.",
    "doctor": "Show which compilers, emulators and flashers are here.",
}


class Commands(click.Group):
    """A group whose commands are modules of this package."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of COMMANDS."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Import the command's module."""
        if name not in COMMANDS:
            return None
        return importlib.import_module(f"tinylm.cli.{name.replace('-', '_')}").command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple:
        """As click's, but an unknown command names the nearest one."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command '{args[0]}'. {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Names and their lines, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="tinylm")
@click.option("--debug", is_flag=True, help="Show where an error comes from (a traceback).")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Predictive text on microcontrollers: train, build, flash, type.

    Start with `tinylm build --board qemu-cortex-m4` and `tinylm type --board qemu-cortex-m4`.
    """
    ctx.obj = {"debug": debug}


def main() -> None:
    """Run a command; a refusal is a sentence on stderr and exit code 1, a usage error 2, Ctrl-C 130."""
    debug = "--debug" in sys.argv[1:2]
    try:
        status = cli.main(standalone_mode=False)
        sys.exit(status if isinstance(status, int) else 0)
    except TinylmError as error:
        if debug:
            raise
        _fail(error.message, error.hint, error.exit_code)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.BadOptionUsage):  # an option without its value: the parser does not know whose it is
            click.echo(f"  What it takes: tinylm {sys.argv[1]} --help", err=True)
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _fail("Stopped.", "", 130)
    except BrokenPipeError:
        # The reader of our output (head, less) is gone: that is no error, but stdout must not be flushed again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except OSError as error:
        if debug:
            raise
        about = f" '{error.filename}'" if error.filename else ""
        _fail(
            f"The system refused{about}: {error.strerror or error}.",
            "Check the path, its permissions and the free space.",
            1,
        )
    except Exception as error:
        if debug:
            raise
        name = type(error).__name__
        _fail(
            f"An error of tinylm's own: {name}: {error}.", "Please report it, with what `tinylm --debug ...` shows.", 1
        )


def _fail(message: str, hint: str, status: int) -> None:
    click.echo(f"tinylm: {message}", err=True)
    if hint:
        click.echo(f"  {hint}", err=True)
    sys.exit(status)
