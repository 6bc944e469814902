# SPDX-License-Identifier: Apache-2.0
"""The exceptions of this project. All of them have the base class ``PingzhengError``.

The two numbers are the HTTP status of the API and the exit code of the command line.

    PingzhengError
    ├── InvalidInput      422   2  the input is malformed or breaks a rule of the data model
    ├── NotFound          404   2  the record does not exist
    ├── Conflict          409   2  the record exists already, or its state does not allow the action
    ├── Forbidden         403   2  the party may not do this because of its role, its status or the record's owner
    ├── Unauthenticated   401   2  no session, or the token, key or signed statement is not valid
    ├── TooManyAttempts   429   2  too many wrong tokens, keys or codes came from this address
    ├── BadBundle         422   2  a bundle, certificate or file of facts cannot be read safely
    ├── ChainUnavailable  503   2  no node answers, or the node belongs to another chain; nothing was written
    ├── ChainRejected     409   2  a contract refused the transaction
    ├── Busy              503   2  other programs are using the ledger; nothing was written
    ├── StorageFull       507  74  a disk is full; the requested data was not written
    ├── Incoherent        503   2  database, chain and files do not match; nothing is written until an operator decides
    └── Misconfigured     503   2  the installation is not set up correctly

Exit code 1 is not an error: for example, ``pingzheng verify`` ends with 1 if the certificate is not valid.

Every error has a stable ``code`` for programs, a message that names the problem, the place of the problem (``where``),
and a ``hint`` that names the next step. No error contains a name, an ID number or a phone number: if a value is
personal, the error names the record and the field instead of the value.
"""

from __future__ import annotations

from typing import Any


class PingzhengError(Exception):
    """The base class of all errors that this package raises on purpose.

    ``code`` is UPPER_SNAKE and never changes its meaning. ``details`` holds JSON values for programs.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"[{self.code}]{place} {self.message}{hint}"


class InvalidInput(PingzhengError):
    """The input is malformed or breaks a rule of the data model."""


class NotFound(PingzhengError):
    """The record does not exist."""


class Conflict(PingzhengError):
    """The record exists already, or its state does not allow the action."""


class Forbidden(PingzhengError):
    """The party is not allowed to do this."""


class Unauthenticated(PingzhengError):
    """There is no session, or the token, the key or the signed statement is not valid."""


class TooManyAttempts(PingzhengError):
    """Too many wrong tokens, keys or codes came from this address; ``details["retry_after"]`` is in seconds."""


class BadBundle(PingzhengError):
    """A bundle, certificate or file of facts (chain data) cannot be read safely."""


class ChainUnavailable(PingzhengError):
    """No node answers, or the node that answers belongs to another chain. Nothing was written."""


class ChainRejected(PingzhengError):
    """A contract refused the transaction; ``code`` is the name of the contract's error in UPPER_SNAKE."""


class Busy(PingzhengError):
    """Other programs are using the ledger; ``details["retry_after"]`` is in seconds. Nothing was written."""


class StorageFull(PingzhengError):
    """A disk is full. The requested data was not written; reading still works."""


class Incoherent(PingzhengError):
    """Database, chain and files do not match. Reading still works; writing is refused."""


class Misconfigured(PingzhengError):
    """The installation is not set up correctly."""
