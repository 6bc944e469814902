"""Read the configuration from ``PINGZHENG_*`` environment variables or arguments; every value has a default."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger.domain.powers import DEFAULT_DELAY
from ledger.errors import Misconfigured
from ledger.proof.sign_in import origin_of
from ledger.proof.suites.suite import ES256, ES256K, SM2SM3, Suite

MAX_HEAD_AGE: Final = 300
# The file in the home that is locked while a program opens or creates the ledger.
LOCK: Final = "opening.lock"
DEFAULT_ORIGIN: Final = "http://127.0.0.1:8000"
SIGNS_WITH: Final = {"sha256-es256k": ES256K, "sha256-es256": ES256, "sm3-sm2": SM2SM3}


class Settings(BaseSettings):
    """The settings of an installation. Durations are in seconds."""

    model_config = SettingsConfigDict(env_prefix="PINGZHENG_", extra="ignore")

    home: Path = Field(Path("var"), description="Folder of this ledger: database, keys, local chain.")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default: SQLite in the home folder.")
    write_wait: int = Field(30, ge=1, le=600, description="How many seconds a database write waits for other writers.")
    rpc_url: str | None = Field(None, description="JSON-RPC URL of the chain; default: a local chain kept in home.")
    archive: Path | None = Field(
        None, description="Folder on another disk; every batch is archived there before it is anchored; default: none."
    )
    erasures: Path | None = Field(
        None, description="File outside the backups that lists all erasures; default: erased.jsonl in the archive."
    )
    scenarios: Path | None = Field(None, description="Folder of scenario files; default: the files in the package.")
    ruleset: str = Field("national", description="Code of the ruleset that applies to registrations.")
    rulesets: Path | None = Field(
        None, description="Folder of ruleset files; a file replaces the package's ruleset of the same code."
    )
    suite: Literal["sha256-es256k", "sha256-es256", "sm3-sm2"] = Field(
        "sha256-es256k", description="Suite that certificates are signed with; sm3-sm2 needs the extra `sm`."
    )
    region: str = Field("440800", description="Region code of the issuing platform, used in certificate numbers.")
    batch_size: int = Field(4096, ge=1, le=8192, description="A batch is closed when it has this many entries.")
    batch_age: int = Field(
        2, ge=0, le=3600, description="A batch with fewer entries is closed after this many seconds."
    )
    key_provider: Literal["file", "environment"] = Field(
        "file", description="Where the keys are kept that wrap data keys: files in home/keys, or PINGZHENG_KEK_<id>."
    )
    delay: int = Field(
        DEFAULT_DELAY,
        ge=0,
        lt=2**40,
        description="How many seconds a proposal waits; fixed at deployment; at least 86400, except on a local chain.",
    )
    max_head_age: int | None = Field(
        None,
        ge=0,
        description="The service is not ready if the newest block is older than this many seconds; 0: no limit. "
        "Default: 300; on a local chain 0.",
    )
    local_chain_id: int = Field(1337, description="Chain id of the local chain.")
    origin: str | None = Field(
        None, description="Address at which parties reach the service and sign in; default: http://127.0.0.1:8000."
    )
    session_seconds: int = Field(
        1800, ge=60, le=86_400, description="How many seconds a session is valid after sign-in."
    )

    @classmethod
    def at(cls, home: Path | None) -> Settings:
        """Return the settings for the folder ``home``, or for the configured folder if ``home`` is None.

        Raises ``Misconfigured`` ``SETTING_INVALID``.
        """
        try:
            return cls() if home is None else cls(home=home)
        except ValidationError as error:
            first = error.errors()[0]
            variable = f"PINGZHENG_{first['loc'][0]}".upper()
            raise Misconfigured("SETTING_INVALID", f"{first['msg']}.", where=variable) from error

    @property
    def database(self) -> str:
        """Return the SQLAlchemy URL of the database."""
        return self.database_url or f"sqlite:///{self.home / 'ledger.db'}"

    @property
    def oldest_head(self) -> int:
        """Return how many seconds old the newest block may be while the service counts as ready; 0 means that any age
        is allowed.
        """
        if self.max_head_age is not None:
            return self.max_head_age
        return 0 if self.rpc_url is None else MAX_HEAD_AGE

    @property
    def service_origin(self) -> str:
        """Return the web origin of the service; raises ``InvalidInput`` ``ORIGIN_INVALID``."""
        return origin_of(self.origin or DEFAULT_ORIGIN)

    @property
    def signs_with(self) -> Suite:
        """Return the suite of algorithms with which this installation signs certificates."""
        return SIGNS_WITH[self.suite]

    def make_home(self) -> None:
        """Create the home folder if it does not exist; only its owner can access it."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def keys_folder(self) -> Path:
        """Return the folder of the key files, which only their owner can read."""
        return self.home / "keys"
