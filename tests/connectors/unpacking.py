"""Small files that become huge when unpacked, and a process with little memory that reads them."""

from __future__ import annotations

import io
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from openpyxl import Workbook

MEGABYTE = 1024 * 1024
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def small_book() -> bytes:
    book = Workbook()
    book.worksheets[0].title = "s"
    book.worksheets[0].append(["a"])
    book.worksheets[0].append(["x"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def with_parts(parts: Mapping[str, Iterable[bytes]]) -> bytes:
    """Return a small workbook in which the given parts are replaced. Each part is written piece by piece, so that
    little memory is used.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(small_book())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in dict.fromkeys([*old.namelist(), *parts]):
            if name not in parts:
                new.writestr(name, old.read(name))
                continue
            with new.open(name, "w") as part:
                for piece in parts[name]:
                    part.write(piece)
    return out.getvalue()


def many(piece: bytes, times: int) -> Iterator[bytes]:
    """Yield ``piece`` as often as ``times`` says."""
    block, rest = divmod(times, 10_000)
    for _ in range(block):
        yield piece * 10_000
    yield piece * rest


def sheet(body: Iterable[bytes], after: Iterable[bytes] = ()) -> Iterator[bytes]:
    yield f'<worksheet xmlns="{_MAIN}"><sheetData>'.encode()
    yield from body
    yield b"</sheetData>"
    yield from after
    yield b"</worksheet>"


def strings(body: Iterable[bytes]) -> Iterator[bytes]:
    yield f'<sst xmlns="{_MAIN}">'.encode()
    yield from body
    yield b"</sst>"


def styles(body: Iterable[bytes]) -> Iterator[bytes]:
    yield f'<styleSheet xmlns="{_MAIN}">'.encode()
    yield from body
    yield b"</styleSheet>"


SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"
STYLES = "xl/styles.xml"


def within(megabytes: int, path: Path, code: str) -> str:
    """Run ``code`` in a new process, and return its output. When its imports are done, the process may use only
    ``megabytes`` more memory.

    The code can use ``path``, ``read``, ``read_csv``, ``PROCESSES`` and ``PingzhengError``.
    """
    script = f"""
        import resource, sys
        from pathlib import Path
        from ledger.connectors.apart.reader import PROCESSES
        from ledger.connectors.tables import read_table as read
        from ledger.connectors.tabular import read_csv
        from ledger.errors import PingzhengError
        import openpyxl

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limit = pages * resource.getpagesize() + {megabytes} * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        path = Path(sys.argv[1])
        try:
        {textwrap.indent(textwrap.dedent(code).strip(), "            ").lstrip()}
        except PingzhengError as error:
            print(error.code)
        except MemoryError:
            print("MEMORY")
    """
    script = textwrap.dedent(script.replace("        try:\n        ", "        try:\n            "))
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, timeout=120, check=False
    )
    return done.stdout.strip() or done.stderr
