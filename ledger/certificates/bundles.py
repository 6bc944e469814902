"""Make bundles.

A bundle is one small file. With this file and the chain, a verifier has everything that it needs to check a
certificate.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger.certificates.hidden_claims import HiddenClaims
from ledger.certificates.lookups import certificate
from ledger.certificates.own_entry import require_own_entry
from ledger.certificates.tables import Certificate
from ledger.chain.accounts import is_account_of
from ledger.chain.reading.reader import ChainReader
from ledger.domain.digests import hex_of
from ledger.errors import BadBundle, Conflict, InvalidInput, Misconfigured
from ledger.log.adopted import adopted_proof
from ledger.log.coherence import require_held
from ledger.log.paused import paused
from ledger.log.positions import NOT_ANCHORED_YET, not_anchored_yet, position, positions
from ledger.parties.lookups import account_at
from ledger.parties.tables import PartyKey
from ledger.proof.bundle import Anchor, Bundle, Evidence, Position, StatusSeen
from ledger.proof.checks.classes import CERTIFICATE_CLASSES
from ledger.proof.jws import Jwk, Signer, parse_compact, public_jwk, sign_compact
from ledger.proof.merkle import Tree
from ledger.proof.presenting import disclosing, present
from ledger.proof.sdjwt import CERTIFICATE_TYP, Disclosed, compose, disclosure_digest
from ledger.proof.suites.suite import ES256K, SUITES, Suite
from ledger.store import log as log_store
from ledger.store.database import Database
from ledger.store.entry_audit import batch_damaged, entry_damaged
from ledger.store.row_damage import record_damaged
from ledger.store.tables import Batch, Entry


@dataclass(eq=False, repr=False)
class Bundles:
    """Makes bundles.

    The issuer signs a certificate only when a bundle of it is made. The signature need not be older, because the
    certificate's anchor on the chain proves when the certificate was issued.
    """

    _database: Database
    _claims: HiddenClaims
    _reader: ChainReader
    _signer: Callable[[str], Signer]
    _suite: Suite
    _trees: dict[int, Tree] = field(default_factory=dict, init=False)

    def build(self, number: str, fields: Iterable[str] | None = None) -> Bundle:
        """Return the bundle of an anchored certificate, and disclose the chosen fields in it (default: all).

        Raises ``Incoherent`` ``ENTRY_DAMAGED``, ``BATCH_DAMAGED``, ``CHAIN_BEHIND_DATABASE`` or ``LOG_FORKED`` if the
        database differs from what was anchored; ``NotFound``; ``Conflict`` ``NOT_ANCHORED_YET``, or ``PARTY_PAUSED`` if
        a pause delays the anchoring; ``Forbidden`` ``FIELD_OUTSIDE_AUTHORIZATION``.
        """
        return disclosing(self._full(number), fields)

    def present(
        self, number: str, fields: Iterable[str] | None, consumer: str, nonce: str, holder: Signer, at: int
    ) -> Bundle:
        """Return a bundle that ``holder`` has signed for one consumer and one nonce at ``at`` (seconds UTC).

        Raises the errors of ``build``, and the errors of ``ledger.proof.presenting.present``.
        """
        return present(self._full(number), fields, consumer=consumer, nonce=nonce, holder=holder, at=at)

    def _full(self, number: str) -> Bundle:
        try:
            return self._assembled(number)
        except Conflict as waiting:
            if waiting.code == NOT_ANCHORED_YET and (until := self._reader.paused_until()):
                raise paused(until) from waiting
            raise

    def _assembled(self, number: str) -> Bundle:
        with self._database.read() as session:
            row = certificate(session, number)
            where = position(session, row.digest)
            entry = log_store.entries_by_digest(session, [row.digest])[row.digest]
            stated = require_own_entry(row, entry.body)
            token = self._token(session, row, entry, where)
            hidden = self._disclosures(session, row, stated)
            evidence = self._evidence(session, _rests_on(session, stated))
            numbers = sorted({where.batch, *(item.position.batch for item in evidence)})
            batches = [log_store.batch(session, number) for number in numbers]
            anchors = tuple(_anchor(batch) for batch in batches)
            proof = self._proof(session, where)
            keys = _keys(session, {parse_compact(token, CERTIFICATE_TYP).kid, *(item.signer for item in evidence)})
        require_held(self._reader, batches)
        status = self._reader.status_of(where)
        return Bundle(
            chain=self._reader.chain,
            certificate=compose(token, hidden),
            position=where,
            proof=proof,
            evidence=tuple(evidence),
            anchors=anchors,
            keys=keys,
            status=StatusSeen(block=status.block, state=status.state),
        )

    def _token(self, session: Session, row: Certificate, entry: Entry, where: Position) -> str:
        """Return the signed certificate. If a holder brought the certificate back after a loss of data, the holder's
        copy is returned; otherwise the entry is signed now.

        With ES256K and ES256, signing an entry again gives the same signature. With SM2 each signature is different,
        but all of them verify.
        """
        if row.token is not None:
            return _checked(row.token, entry)
        # Sign with a key that was in force when the certificate was anchored, because a verifier accepts no other key.
        anchored = _anchor(log_store.batch(session, where.batch)).at
        account = self._account(session, row, json.loads(entry.body).get("_sd_alg"), anchored)
        return sign_compact(entry.body, self._signer(account), CERTIFICATE_TYP)

    def _account(self, session: Session, row: Certificate, algorithm: str | None, anchored: int) -> str:
        """Return the issuer's account whose key signs the certificate.

        Keys of the installation's suite are tried first. A key's suite must use the hash algorithm that the
        certificate's ``_sd_alg`` names.
        """
        for suite in dict.fromkeys((self._suite, ES256K, *SUITES.values())):
            if algorithm not in (None, suite.digest):
                continue
            if account := account_at(session, row.issuer, anchored, suite):
                return account
        raise Misconfigured(
            "SIGNING_KEY_MISSING",
            "The issuer had no key of the certificate's suite when the certificate was anchored.",
            where=row.certificate_no,
            hint="Issue the certificate again.",
        )

    def _disclosures(self, session: Session, row: Certificate, stated: Mapping[str, Any]) -> list[Disclosed]:
        """Return the certificate's hidden claims.

        Raise if a claim belongs to another certificate, because verifiers would take the bundle for a forgery.
        """
        opened = self._claims.opened(session, row, stated)
        digests = {disclosure_digest(item, stated.get("_sd_alg", ES256K.digest)) for item in opened}
        hidden = set(stated.get("_sd", ()))
        # All stored claims must belong to this certificate, but some of its claims may be missing: after a loss of
        # data, a holder may have brought back only a part.
        if not digests <= hidden or (hidden and not digests):
            raise record_damaged("certificate", row.certificate_no, ["sealed_id"]).refusal()
        return [Disclosed.decode(item) for item in opened]

    def _evidence(self, session: Session, named: Sequence[str]) -> list[Evidence]:
        entries, places, found = log_store.entries_by_digest(session, named), positions(session, named), []
        for digest in named:
            if (where := places.get(digest)) is None:
                raise not_anchored_yet()
            found.append(Evidence(entries[digest].body.decode(), where, self._proof(session, where)))
        return found

    def _proof(self, session: Session, where: Position) -> tuple[bytes, ...]:
        tree = self._trees.get(where.batch)
        if tree is None:
            batch = log_store.batch(session, where.batch)
            if batch.state == "lost":
                return tuple(adopted_proof(session, batch, where.index))
            tree = Tree(log_store.leaves(session, batch))
            if tree.root.hex() != batch.root:
                raise batch_damaged(batch.number, batch.first_seq, batch.size).refusal()
            self._trees = {**dict(list(self._trees.items())[-63:]), where.batch: tree}
        return tuple(tree.inclusion_proof(where.index))


def _checked(token: str, entry: Entry) -> str:
    """Return the token; raise ``Incoherent`` ``ENTRY_DAMAGED`` if the token's payload differs from the entry."""
    try:
        if parse_compact(token, CERTIFICATE_TYP).payload == entry.body:
            return token
    except BadBundle:
        pass
    raise entry_damaged(entry.seq).refusal()


def _rests_on(session: Session, statement: Mapping[str, Any]) -> list[str]:
    """Return the digests of the statements on which a certificate rests, and of their anchored withdrawals.
    ``statement`` is the payload of the certificate.
    """
    digests = [hex_of(named) for named in CERTIFICATE_CLASSES[statement["class"]].rests_on(statement)]
    return digests + list(positions(session, (row.digest for row in log_store.withdrawals_of(session, digests))))


def _keys(session: Session, accounts: set[str | None]) -> dict[str, Jwk]:
    """Return the public key of each account.

    Retired keys are included, because their earlier signatures remain valid.
    """
    query = select(PartyKey.account, PartyKey.public_key).where(PartyKey.account.in_(accounts))
    found = session.execute(query).all()
    for account, key in found:
        if not is_account_of(account, key):
            raise record_damaged("party_key", account, ["public_key"]).refusal()
    return {account: public_jwk(key) for account, key in sorted((row.account, row.public_key) for row in found)}


def _anchor(batch: Batch) -> Anchor:
    if batch.at is None or batch.issuer is None:
        raise InvalidInput("NOT_ANCHORED_YET", "The batch is not anchored yet.", where=f"batch {batch.number}")
    return Anchor(
        issuer=batch.issuer,
        batch=batch.number,
        first_seq=batch.first_seq,
        size=batch.size,
        root=bytes.fromhex(batch.root),
        at=batch.at,
    )
