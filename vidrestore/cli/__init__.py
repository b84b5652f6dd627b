"""The command line. Each command has one file, which parses arguments, makes one call and prints the result.

torch, PyAV and OpenCV are imported inside command bodies, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, cast

import typer
import typer.core

from vidrestore import __version__
from vidrestore.cli import (
    batch,
    degrade,
    edit,
    evaluate,
    evaluate_paper,
    inspect,
    integrations,
    models,
    preview,
    restore,
    resume,
    train,
    web,
)
from vidrestore.cli.end_with_stdin import ended_with_stdin
from vidrestore.cli.messages import listeners_removed
from vidrestore.cli.terminal import (
    own_log_messages,
    print_error,
    print_message,
    print_result,
    tolerant_streams,
)
from vidrestore.errors import UsageError, VidrestoreError
from vidrestore.runtime import signals
from vidrestore.runtime.process_settings import configure_process
from vidrestore.runtime.system_errors import to_system_error

# typer carries its own click from 0.20 on and used the installed one before; this is the class of either.
_ClickException = cast(type[Exception], typer.BadParameter.__mro__[2])


class _Commands(typer.core.TyperGroup):
    """Commands, of which some have names of two words."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        two = " ".join(args[:2])
        return super().resolve_command(ctx, [two, *args[2:]] if two in self.commands else args)


app = typer.Typer(
    name="vidrestore",
    cls=_Commands,
    help="Restores the faces in a video and leaves everything else as it was: picture, sound and timing.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("restore", epilog=restore.EXAMPLES)(restore.restore)
app.command("resume", epilog=resume.EXAMPLES)(resume.resume)
app.command("batch", epilog=batch.EXAMPLES)(batch.batch)
app.command("edit", epilog=edit.EXAMPLES)(edit.edit)
app.command("inspect", epilog=inspect.EXAMPLES)(inspect.inspect)
app.command("preview", epilog=preview.EXAMPLES)(preview.preview)
app.command("evaluate", epilog=evaluate.EXAMPLES)(evaluate.evaluate)
app.command("evaluate paper", epilog=evaluate_paper.EXAMPLES)(evaluate_paper.evaluate_paper)
app.command("degrade", epilog=degrade.EXAMPLES)(degrade.degrade)
app.command("web", epilog=web.EXAMPLES)(web.web)
app.add_typer(models.app, name="models")
app.add_typer(integrations.app, name="integrations")
app.add_typer(train.app, name="train")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command, as `vidrestore` in a terminal does.

    Args:
        arguments: Those after the program's name; None: the process's own.

    Returns:
        The exit code: 0; 1 for a failure; 2 for wrong usage or input; 3 as explained in the command's help;
        130 when interrupted.
    """
    configure_process()
    words, debug = _take_debug(sys.argv[1:] if arguments is None else arguments)
    with tolerant_streams(), listeners_removed(), own_log_messages(), signals.interrupting_signals():
        return _run(words, debug=debug)


def _run(words: list[str], *, debug: bool) -> int:
    try:
        with ended_with_stdin(words):
            code = app(words, prog_name="vidrestore", standalone_mode=False)
    except VidrestoreError as error:
        return _fail(str(error), error.exit_code, debug=debug)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except _ClickException as error:
        return _usage(error)
    except Exception as error:
        if not signals.was_interrupted():
            return _unexpected(error, debug=debug)
        code = 130  # a library has turned the interrupt into another exception
    if code == 130:  # Ctrl-C, which typer turns into this code or into Abort
        return _fail("interrupted", 130, debug=False)
    return code if isinstance(code, int) else 0


@app.callback()
def _global_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            metavar="",
            callback=lambda requested: _print_version(requested),
            is_eager=True,
            help="Print the version and exit.",
        ),
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", metavar="", help="Print the traceback of an error. Allowed after the command, too."
        ),
    ] = False,
) -> None:
    try:
        Path.cwd()
    except OSError as error:
        # Without a working directory, MKL would end the process when torch is loaded.
        raise UsageError("the working directory does not exist any more; change to another one") from error


def _print_version(requested: bool) -> None:
    if requested:
        print_result(f"vidrestore {__version__}")
        raise typer.Exit


def _take_debug(arguments: Sequence[str]) -> tuple[list[str], bool]:
    """The other arguments, and whether --debug is set: by an argument before `--` or VIDRESTORE_DEBUG."""
    words = list(arguments)
    options = words[: words.index("--")] if "--" in words else words
    rest = [word for word in options if word != "--debug"] + words[len(options) :]
    return rest, len(rest) < len(words) or os.environ.get("VIDRESTORE_DEBUG", "") not in ("", "0")


def _usage(error: BaseException) -> int:
    """Prints typer's message about wrong arguments, unless it has printed the help already."""
    message = getattr(error, "format_message", lambda: str(error))()
    if type(error).__name__ == "NoArgsIsHelpError" or not message:
        return 2
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "vidrestore"
    sentence = message[0].lower() + message[1:].rstrip(".")
    return _fail(f"{sentence}; see: {command} --help", 2, debug=False)


def _unexpected(error: Exception, *, debug: bool) -> int:
    known = to_system_error(error)
    if known is not None:
        return _fail(str(known), known.exit_code, debug=debug)
    notes = " ".join(getattr(error, "__notes__", ()))
    what = f"{type(error).__name__}: {error}{f' ({notes})' if notes else ''}".replace("\n", " ")
    advice = "" if debug else "; please report it with what --debug prints and your vidrestore --version"
    return _fail(f"this is a defect of vidrestore: {what}{advice}", 1, debug=debug)


def _fail(sentence: str, code: int, *, debug: bool) -> int:
    if debug:
        for line in traceback.format_exc().splitlines():
            print_message(line)
    print_error(sentence, code)
    return code
