"""The program ``pingzheng``: run the command line. If Python packages are missing, say how to install them."""

from __future__ import annotations

import errno
import sys
from typing import Final

_EXIT_DISK_FULL: Final = 74
_NOT_INSTALLED = """\
错误 error SERVICE_NOT_INSTALLED  只安装了核验器，没有安装命令行。 Only the verifier is installed, not the command line.
  位置 where: {missing}
  下一步 next: 在源代码目录中 in a clone of the source: make setup；否则 otherwise: pip install 'pingzheng[service]'
    只核验见 To verify only, see docs/guides/verifying.md."""


def run() -> None:
    """Run the command line. If Python packages are missing, print how to install them and end with exit code 2."""
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
        # A command handles its own errors. So this error was raised while the help text was written.
        give_up(sys.stdout)
        complain(f"无法写入标准输出 Standard output could not be written: {error.strerror}\n")
        sys.exit(_EXIT_DISK_FULL if error.errno in (errno.ENOSPC, errno.EDQUOT) else 2)
