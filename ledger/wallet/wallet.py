"""The wallet in memory: a holder's certificates as full bundles, and the holder's key if it is kept with them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

from ledger.domain.canonical import canonical, parse_json
from ledger.errors import BadBundle, Conflict, InvalidInput, NotFound
from ledger.proof.bundle import Bundle, StatusSeen, parse_bundle
from ledger.proof.jws import Es256Signer, LocalSigner, Signer
from ledger.proof.presenting import present, require_full
from ledger.proof.sdjwt import Presented
from ledger.proof.suites.suite import ES256, ES256K
from ledger.wallet.envelope import MAX_WALLET_BYTES

MAX_CERTIFICATES: Final = 2_000
_MAX_DEPTH: Final = 20
_KEY_FORMS: Final = {
    "alg": re.compile(f"{ES256K.alg}|{ES256.alg}"),
    "account": re.compile(r"0x[0-9a-f]{40}"),
    "private_key": re.compile(r"[0-9a-f]{64}"),
}


@dataclass(frozen=True, slots=True)
class HolderKey:
    """The holder's private key (32 bytes) with its account; never shown. ``alg`` is ES256K or ES256."""

    private_key: bytes = field(repr=False)
    account: str
    alg: str = ES256K.alg

    @property
    def signer(self) -> Signer:
        """Signs with it; raises ``ValueError`` for 32 bytes that are no private key."""
        if self.alg == ES256.alg:
            return Es256Signer(self.private_key)
        return LocalSigner(self.private_key, self.account)

    def to_dict(self) -> dict[str, str]:
        """As JSON."""
        return {"alg": self.alg, "account": self.account, "private_key": self.private_key.hex()}

    @classmethod
    def from_dict(cls, raw: Any) -> HolderKey:
        """Raises ``BadBundle`` ``WALLET_CONTENT``."""
        if not isinstance(raw, dict) or raw.keys() != _KEY_FORMS.keys():
            raise _bad_content("key", "The key is not of the form that a wallet keeps.")
        if not all(isinstance(raw[name], str) and form.fullmatch(raw[name]) for name, form in _KEY_FORMS.items()):
            raise _bad_content("key", "The key is not of the form that a wallet keeps.")
        key = cls(bytes.fromhex(raw["private_key"]), raw["account"], raw["alg"])
        try:
            signs_for = key.signer.kid
        except ValueError:
            raise _bad_content("key", "This is no private key.") from None
        if signs_for != key.account:
            raise _bad_content("key", "The account is that of another key.")
        return key


@dataclass(frozen=True, slots=True)
class Wallet:
    """Bundles by certificate number, as JSON, and the key of their holder.

    Every change makes another wallet; none takes anything away. A bundle is checked when it is added and when it is
    read, so that of a large wallet only what is asked for is parsed.
    """

    certificates: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    key: HolderKey | None = None

    def adding(self, bundles: Iterable[Bundle]) -> Wallet:
        """The wallet with these full bundles too; of one certificate the bundle made later is kept.

        Raises ``BadBundle`` ``BUNDLE_PRESENTED``, ``BUNDLE_NOT_FULL``; ``Conflict`` ``CERTIFICATE_DIFFERS`` for
        another certificate under a number that is taken, ``BUNDLE_DIFFERS`` for one that rests on something else than
        the bundle held; ``InvalidInput`` ``WALLET_FULL``.
        """
        held = dict(self.certificates)
        for bundle in bundles:
            claims = require_full(bundle).claims
            number = str(claims["certificate_no"])
            if number in held:
                before, parts = replace(self, certificates=held).read(number)
                if parts.claims != claims:
                    raise _another(number)
                if _proof_of(before) != _proof_of(bundle):
                    raise _otherwise_proven(number)
                if before.status.block > bundle.status.block:
                    continue
            held[number] = bundle.to_dict()
        if len(held) > MAX_CERTIFICATES:
            raise InvalidInput(
                "WALLET_FULL", f"A wallet holds at most {MAX_CERTIFICATES} certificates.", hint="Begin a second wallet."
            )
        return replace(self, certificates=MappingProxyType(held))

    def keeping(self, key: HolderKey) -> Wallet:
        """The wallet with the holder's key; raises ``Conflict`` ``WALLET_KEY_DIFFERS`` if it keeps another."""
        if self.key is not None and self.key != key:
            raise Conflict(
                "WALLET_KEY_DIFFERS",
                "The wallet keeps another key.",
                hint="Begin a second wallet for the other key, or present with `--key`.",
            )
        return replace(self, key=key)

    def read(self, number: str) -> tuple[Bundle, Presented]:
        """A full bundle with the parts of its certificate.

        Raises ``NotFound`` ``CERTIFICATE_NOT_IN_WALLET``, ``BadBundle`` ``WALLET_CONTENT``.
        """
        if number not in self.certificates:
            raise NotFound(
                "CERTIFICATE_NOT_IN_WALLET",
                "The wallet has no certificate of this number.",
                hint="pingzheng wallet list",
            )
        try:
            bundle = parse_bundle(canonical(self.certificates[number]))
            parts = require_full(bundle)
        except (BadBundle, InvalidInput) as error:
            raise _bad_content(number, error.message) from error
        if parts.claims["certificate_no"] != number:
            raise _bad_content(number, "The bundle is of another certificate.")
        return bundle, parts

    def present(
        self,
        number: str,
        fields: Iterable[str] | None,
        *,
        consumer: str,
        nonce: str,
        at: int,
        holder: Signer | None = None,
    ) -> Bundle:
        """A presentation by ``holder``, by default the key in the wallet.

        Raises as ``ledger.proof.presenting.present``, and ``InvalidInput`` ``HOLDER_KEY_MISSING`` where there is no
        key to sign with.
        """
        full, _ = self.read(number)
        if holder is None and self.key is not None:
            holder = self.key.signer
        if holder is None:
            raise InvalidInput(
                "HOLDER_KEY_MISSING", "The wallet keeps no key.", where="key", hint="Give the key file with `--key`."
            )
        return present(full, fields, consumer=consumer, nonce=nonce, holder=holder, at=at)

    def to_bytes(self) -> bytes:
        """The content to be sealed, canonical JSON."""
        return canonical(
            {"certificates": dict(self.certificates), "key": None if self.key is None else self.key.to_dict()}
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Wallet:
        """The wallet of an opened file; raises ``BadBundle`` ``WALLET_CONTENT`` naming the place."""
        try:
            told = parse_json(content, max_bytes=MAX_WALLET_BYTES, max_depth=_MAX_DEPTH)
        except InvalidInput as error:
            raise _bad_content("content", error.message) from error
        if not isinstance(told, dict) or told.keys() != {"certificates", "key"}:
            raise _bad_content("content", "A wallet holds certificates and a key, or null.")
        held = told["certificates"]
        if not isinstance(held, dict) or len(held) > MAX_CERTIFICATES:
            raise _bad_content("certificates", f"An object of at most {MAX_CERTIFICATES} bundles is expected.")
        key = None if told["key"] is None else HolderKey.from_dict(told["key"])
        return cls(MappingProxyType(held), key)


def _proof_of(bundle: Bundle) -> Bundle:
    """What never changes: all but the status that was seen, and the disclosures, whose order means nothing."""
    return replace(bundle.with_certificate(bundle.certificate.partition("~")[0]), status=StatusSeen(0, ""))


def _otherwise_proven(number: str) -> Conflict:
    return Conflict(
        "BUNDLE_DIFFERS",
        "钱包里这张凭证已有另一份凭证包。The wallet holds another bundle of this certificate, with other proofs.",
        where=number,
        hint="核验新的一份；若它才对，另建钱包。Verify the new one; if that is right, begin a second wallet with it.",
    )


def _another(number: str) -> Conflict:
    return Conflict(
        "CERTIFICATE_DIFFERS",
        "The wallet holds another certificate of this number.",
        where=number,
        hint="Certificates of another ledger go into a wallet of their own.",
    )


def _bad_content(where: str, message: str) -> BadBundle:
    return BadBundle("WALLET_CONTENT", message, where=where[:64], hint="Go back to a copy of the wallet file.")
