"""The one exception family of this project.

    PingzhengError
    ├── InvalidInput      what was given is malformed or breaks a rule of the data model
    ├── NotFound          no such record
    ├── Conflict          the record exists, or its state does not allow the move
    ├── Forbidden         the party may not do this (role, status, ownership)
    ├── Unauthenticated   nobody is signed in, or by a token or a key that is not known
    ├── TooManyAttempts   too many wrong tokens, keys or codes came from this source; ``retry_after`` says when to try
    ├── BadBundle         a bundle, certificate or fact file that cannot be read safely
    ├── ChainUnavailable  no node answers, or it is not our chain; nothing was written
    ├── ChainRejected     a contract refused the transaction
    ├── Busy              others are using the ledger just now; ``retry_after`` says when to try again
    ├── StorageFull       a disk is full; what was asked for was not written
    ├── Incoherent        database, chain and files do not belong together; nothing is written until an operator decides
    └── Misconfigured     the installation is not set up as it must be

Every error has a stable ``code`` that machines may match, a message that says what is wrong, ``where``
it was found, and a ``hint`` that says what to do next. None of them carries a name, an ID number or a phone number:
say which field of which record, never its value, where the value is personal.
"""

from __future__ import annotations

from typing import Any


class PingzhengError(Exception):
    """Base of all errors that leave this package on purpose.

    ``code`` is UPPER_SNAKE and never changes its meaning; ``details`` holds JSON values for machines.
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
    """What was given is malformed or breaks a rule of the data model."""


class NotFound(PingzhengError):
    """No such record."""


class Conflict(PingzhengError):
    """The record exists already, or its state does not allow the move."""


class Forbidden(PingzhengError):
    """The party may not do this."""


class Unauthenticated(PingzhengError):
    """Nobody is signed in, or by a token, a key or a statement that does not hold."""


class TooManyAttempts(PingzhengError):
    """Too many wrong tokens, keys or codes came from this source; ``details["retry_after"]`` is in seconds."""


class BadBundle(PingzhengError):
    """A bundle, certificate or fact file that cannot be read safely."""


class ChainUnavailable(PingzhengError):
    """No node answers, or it is not the chain this ledger was set up on."""


class ChainRejected(PingzhengError):
    """A contract refused the transaction; ``code`` is the contract's error by our name."""


class Busy(PingzhengError):
    """Others are using the ledger just now; ``details["retry_after"]`` is in seconds. Nothing was written."""


class StorageFull(PingzhengError):
    """A disk is full. What was asked for was not written; reading goes on."""


class Incoherent(PingzhengError):
    """Database, chain and files do not belong together. Reading goes on; writing is refused."""


class Misconfigured(PingzhengError):
    """The installation is not set up as it must be."""
