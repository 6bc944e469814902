"""The decrypted wallet in memory: a holder's certificates as full bundles, and optionally the holder's key."""

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
    """The holder's private key (32 bytes, left out of ``repr()``) with its account. ``alg`` is ES256K or ES256."""

    private_key: bytes = field(repr=False)
    account: str
    alg: str = ES256K.alg

    @property
    def signer(self) -> Signer:
        """Return a signer with this key; raises ``ValueError`` if the 32 bytes are not a private key."""
        if self.alg == ES256.alg:
            return Es256Signer(self.private_key)
        return LocalSigner(self.private_key, self.account)

    def to_dict(self) -> dict[str, str]:
        """Return the key as a JSON value."""
        return {"alg": self.alg, "account": self.account, "private_key": self.private_key.hex()}

    @classmethod
    def from_dict(cls, raw: Any) -> HolderKey:
        """Return the key from a JSON value; raise ``BadBundle`` ``WALLET_CONTENT``."""
        if (
            not isinstance(raw, dict)
            or raw.keys() != _KEY_FORMS.keys()
            or not all(isinstance(raw[name], str) and form.fullmatch(raw[name]) for name, form in _KEY_FORMS.items())
        ):
            raise _bad_content("key", "The key does not have the members of a key in a wallet.")
        key = cls(bytes.fromhex(raw["private_key"]), raw["account"], raw["alg"])
        try:
            signs_for = key.signer.kid
        except ValueError:
            raise _bad_content("key", "The key is not a valid private key.") from None
        if signs_for != key.account:
            raise _bad_content("key", "The account belongs to another key.")
        return key


@dataclass(frozen=True, slots=True)
class Wallet:
    """Contains a map from certificate number to the holder's bundle (a JSON value), and the holder's key.

    Every change returns a new wallet, and no change removes anything. A bundle is checked when it is added and again
    when it is read, but not when the wallet is opened, so that a large wallet opens fast.
    """

    certificates: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    key: HolderKey | None = None

    def adding(self, bundles: Iterable[Bundle]) -> Wallet:
        """Return the wallet with these full bundles added. If there are two bundles of one certificate, the newer
        bundle is kept.

        Raises ``BadBundle`` ``BUNDLE_PRESENTED``, ``BUNDLE_NOT_FULL``; ``Conflict`` ``CERTIFICATE_DIFFERS`` if the
        wallet holds another certificate with the same number, ``BUNDLE_DIFFERS`` if it holds a bundle of this
        certificate with other proofs; ``InvalidInput`` ``WALLET_FULL``.
        """
        held = dict(self.certificates)
        for bundle in bundles:
            claims = require_full(bundle).claims
            number = str(claims["certificate_no"])
            if number in held:
                before, parts = replace(self, certificates=held).read(number)
                if parts.claims != claims:
                    raise Conflict(
                        "CERTIFICATE_DIFFERS",
                        "The wallet holds another certificate with this number.",
                        where=number,
                        hint="Keep certificates of another ledger in a separate wallet.",
                    )
                if _proof_of(before) != _proof_of(bundle):
                    raise Conflict(
                        "BUNDLE_DIFFERS",
                        "钱包里这张凭证已有另一份凭证包。The wallet holds another bundle of this certificate.",
                        where=number,
                        hint="请核验新凭证包；如果有效，另建钱包保存。If the new bundle is valid, use a second wallet.",
                    )
                if before.status.block > bundle.status.block:
                    continue
            held[number] = bundle.to_dict()
        if len(held) > MAX_CERTIFICATES:
            raise InvalidInput(
                "WALLET_FULL",
                f"A wallet holds at most {MAX_CERTIFICATES} certificates.",
                hint="Create a second wallet.",
            )
        return replace(self, certificates=MappingProxyType(held))

    def keeping(self, key: HolderKey) -> Wallet:
        """Return the wallet with this key added; raise ``Conflict`` ``WALLET_KEY_DIFFERS`` if the wallet has another
        key.
        """
        if self.key is not None and self.key != key:
            raise Conflict(
                "WALLET_KEY_DIFFERS",
                "The wallet already keeps another key.",
                hint="Create a second wallet for this key, or present with `--key`.",
            )
        return replace(self, key=key)

    def read(self, number: str) -> tuple[Bundle, Presented]:
        """Return the full bundle of a certificate, and the parsed certificate.

        Raises ``NotFound`` ``CERTIFICATE_NOT_IN_WALLET``, ``BadBundle`` ``WALLET_CONTENT``.
        """
        if number not in self.certificates:
            raise NotFound(
                "CERTIFICATE_NOT_IN_WALLET",
                "The wallet has no certificate with this number.",
                hint="List the certificates with `pingzheng wallet list`.",
            )
        try:
            bundle = parse_bundle(canonical(self.certificates[number]))
            parts = require_full(bundle)
        except (BadBundle, InvalidInput) as error:
            raise _bad_content(number, error.message) from error
        if parts.claims["certificate_no"] != number:
            raise _bad_content(number, "The bundle belongs to another certificate.")
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
        """Return a presentation signed by ``holder``, or by default with the key in the wallet.

        Raises the errors of ``ledger.proof.presenting.present``, and ``InvalidInput`` ``HOLDER_KEY_MISSING`` if there
        is no key to sign with.
        """
        full, _ = self.read(number)
        if holder is None and self.key is not None:
            holder = self.key.signer
        if holder is None:
            raise InvalidInput(
                "HOLDER_KEY_MISSING", "The wallet has no key.", where="key", hint="Give the key file with `--key`."
            )
        return present(full, fields, consumer=consumer, nonce=nonce, holder=holder, at=at)

    def to_bytes(self) -> bytes:
        """Return the content to be sealed, as canonical JSON."""
        return canonical(
            {"certificates": dict(self.certificates), "key": None if self.key is None else self.key.to_dict()}
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Wallet:
        """Return the wallet from a file's decrypted content; raise ``BadBundle`` ``WALLET_CONTENT`` if the content is
        malformed.
        """
        try:
            parsed = parse_json(content, max_bytes=MAX_WALLET_BYTES, max_depth=_MAX_DEPTH)
        except InvalidInput as error:
            raise _bad_content("content", error.message) from error
        if not isinstance(parsed, dict) or parsed.keys() != {"certificates", "key"}:
            raise _bad_content("content", "The content must have the members `certificates` and `key`.")
        held = parsed["certificates"]
        if not isinstance(held, dict) or len(held) > MAX_CERTIFICATES:
            raise _bad_content("certificates", f"An object of at most {MAX_CERTIFICATES} bundles is expected.")
        key = None if parsed["key"] is None else HolderKey.from_dict(parsed["key"])
        return cls(MappingProxyType(held), key)


def _proof_of(bundle: Bundle) -> Bundle:
    """Return the bundle without status and disclosures, because these may differ between bundles of one certificate."""
    return replace(bundle.with_certificate(bundle.certificate.partition("~")[0]), status=StatusSeen(0, ""))


def _bad_content(where: str, message: str) -> BadBundle:
    return BadBundle("WALLET_CONTENT", message, where=where[:64], hint="Use another copy of the wallet file.")
