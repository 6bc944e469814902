"""The program ``pingzheng``: the command line, or how to install what it needs."""

from __future__ import annotations

import errno
import sys
from typing import Final

_EXIT_DISK_FULL: Final = 74
_NOT_INSTALLED = """\
错误 error SERVICE_NOT_INSTALLED  只装了核验器，没有命令行。 The verifier is installed, and not the command line.
  位置 where: {missing}
  下一步 next: pip install 'pingzheng[service]'；只核验见 docs/guides/verifying.md。 Or verify as docs/guides/verifying.md shows."""


def run() -> None:
    """Run the command line; without its packages, say so and end with exit code 2."""
    try:
        from ledger.cli.main import app
        from ledger.cli.shell.terminal import complain, give_up, open_streams
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "ledger":
            raise
        print(_NOT_INSTALLED.format(missing=error.name), file=sys.stderr)
        sys.exit(2)
    open_streams()
    try:
        app()
    except OSError as error:
        # The help itself could not be written; commands explain their own errors.
        give_up(sys.stdout)
        complain(f"未能写出 Standard output could not be written: {error.strerror}\n")
        sys.exit(_EXIT_DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else 2)
