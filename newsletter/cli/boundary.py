"""The one error boundary: whatever comes up becomes a message on stderr and an exit code."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from types import FrameType

import click

from newsletter.errors import CannotWrite, Interrupted, NewsletterError

# EIO: a terminal that vanished (nohup), or a failing disk.
_CANNOT_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG, errno.EIO}


class Terminated(KeyboardInterrupt):
    """SIGTERM. To everything in between it is a Ctrl-C: files are tidied up, transactions are taken back."""


def guarded(command: click.Command, arguments: Sequence[str] | None) -> int:
    """Run ``command`` and return the exit code of DESIGN's table; never raises, never shows a traceback unasked."""
    argv = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in argv
    try:
        with _terminable():
            result = command.main(argv, prog_name="newsletter", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as refused:
        refused.show()
        return refused.exit_code
    except (KeyboardInterrupt, click.Abort) as stopped:
        return _stopped(stopped)
    except NewsletterError as error:
        return _report(error, debug)
    except (BrokenPipeError, SystemExit):
        # A broken pipe is the one thing at which click leaves by itself, without its standalone mode.
        return _nobody_listens()
    except OSError as error:
        if error.errno in _CANNOT_WRITE:
            where = None if error.filename is None else str(error.filename)
            return _report(CannotWrite(f"cannot write: {error.strerror}", where=where), debug)
        return _bug(debug)
    except Exception:  # noqa: BLE001 - the boundary: anything that is left is a bug of ours
        return _bug(debug)


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM raises ``Terminated`` while the block runs; whoever can stop in better order takes the signal over."""

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Terminated

    # Elsewhere signals cannot be handled; and who had them ignored meant it.
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) is signal.SIG_IGN:
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _stopped(stopped: BaseException) -> int:
    """click turns a KeyboardInterrupt into an Abort; what it was says how it ends and what is still to be told."""
    cause = stopped.__cause__ if isinstance(stopped, click.Abort) else stopped
    if isinstance(cause, Terminated):
        _complain(str(Interrupted("stopped by SIGTERM", fix="call it again")))
        return Interrupted.exit_code
    _complain(str(cause or "") or "Stopped.")
    return 130


def _nobody_listens() -> int:
    """The reader of our output went away (`newsletter issue list | head`): not our failure, nothing more to say."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _report(error: NewsletterError, debug: bool) -> int:
    if debug:
        traceback.print_exc()
    _complain(str(error))
    return error.exit_code


def _bug(debug: bool) -> int:
    if debug:
        traceback.print_exc()
    kind, error, _ = sys.exc_info()
    name = kind.__name__ if kind else "error"
    _complain(
        f"This is a bug in newsletter ({name}: {error}).\n  Fix: run it again with --debug and report what it prints."
    )
    return 70


def _complain(message: str) -> None:
    head, _, rest = message.partition("\n")
    with contextlib.suppress(OSError):  # the terminal is gone: the exit code is all that is left to say
        click.secho(head, fg="red", err=True)
        if rest:
            click.echo(rest, err=True)
