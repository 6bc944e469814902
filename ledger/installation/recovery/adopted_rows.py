"""Add database rows for entries that a holder's bundle brought back.

The rows are the certificate, its request, its authorizations, its provisions and its parties.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ledger.certificates.tables import Certificate
from ledger.chain.accounts import account_of_public_key
from ledger.chain.reading.contract_state import PartyRecord
from ledger.domain.digests import hex_of
from ledger.domain.entries import statement_digest
from ledger.domain.parties import PartyKind
from ledger.errors import InvalidInput, PingzhengError
from ledger.installation.recovery.adopted_parties import PARTIES, OnChain
from ledger.parties.keys.settlement import record_key
from ledger.parties.tables import Party, PartyKey
from ledger.proof.bundle import Bundle
from ledger.proof.sdjwt import Disclosed, Presented
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.store.erasure_tables import ErasureRecord
from ledger.store.sealing import CLOSED, LOST, Sealer, close, closed, seal_nothing
from ledger.store.tables import Batch, Sealed
from ledger.usage.tables import AccessRequest, Authorization, Provision, SeenClaim

Stated = Mapping[str, Any]
_REGION_OF_NUMBER: Final = 1


@dataclass(slots=True)
class Adopted:
    """The result of taking back one bundle: the number of new entries, the number of batches that became complete,
    the ids of added parties (only their id and keys are known), and the names of the certificate's claims."""

    certificate_no: str
    entries: int = 0
    completed: int = 0
    parties: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)


@dataclass(eq=False, repr=False)
class AdoptedRows:
    """Adds missing rows within the caller's transaction; existing rows are not changed."""

    _session: Session
    _sealer: Sealer
    _chain: OnChain
    _scenarios: ScenarioBook
    _bundle: Bundle
    _erased: frozenset[str]

    def __post_init__(self) -> None:
        self._erased |= set(self._session.scalars(select(ErasureRecord.target)))

    def add(self, entries: Sequence[tuple[Stated, Batch]], presented: Presented) -> Adopted:
        """Add the rows of these entries in the order of their dependencies; the certificate comes last."""
        claims = presented.claims
        adopted = Adopted(claims["certificate_no"])
        of_type: dict[str, list[Stated]] = {}
        for stated, _ in entries:
            of_type.setdefault(stated["type"], []).append(stated)
        adopted.parties = self._add_parties(claims, [stated for stated, _ in entries])
        request = None
        for stated in of_type.get("request", []):
            request = self._add_request(stated)
        for stated in of_type.get("authorization", []):
            self._add_authorization(stated, request)
        for stated in of_type.get("provision", []):
            self._add_provision(stated, request)
        adopted.claims = self._add_certificate(presented, request, entries[-1][1])
        return adopted

    def _add_parties(self, claims: Stated, entries: Iterable[Stated]) -> list[str]:
        """Add the missing parties, with data from the chain and keys from the bundle; return their ids."""
        kinds = self._kinds(claims)
        named = {claims["sub"]: kinds["subject"], claims["iss"]: PartyKind.OPERATOR}
        for stated in entries:
            for role in PARTIES:
                if role in stated:
                    named.setdefault(stated[role], kinds[role])
        added = []
        region = str(claims["certificate_no"]).split("-")[_REGION_OF_NUMBER]
        for identifier, kind in named.items():
            record = self._chain.parties.get(identifier)
            if record is not None and self._session.get(Party, identifier) is None:
                self._add_party(record, kind, region)
                added.append(identifier)
        for account in self._chain.accounts:
            self._add_key(account)
        return added

    def _add_party(self, record: PartyRecord, kind: PartyKind, region: str) -> None:
        self._session.add(
            Party(
                id=record.id,
                no=record.no,
                kind=kind.value,
                roles=sorted(record.roles),
                region=region,
                lookup=secrets.token_hex(32),
                sealed_id=seal_nothing(self._session, erased=record.id in self._erased),
                created_at=self._chain.time,
            )
        )
        self._session.flush()

    def _add_key(self, account: str) -> None:
        """Add a key from the bundle if the chain has bound its account to a party of this database."""
        key, record = self._bundle.keys.get(account), self._chain.accounts[account]
        if key is None or self._session.get(PartyKey, account) is not None:
            return
        party = self._session.scalar(select(Party).where(Party.no == record.party_no))
        if party is None or account_of_public_key(key.compressed) != account:
            return
        row = PartyKey(account=account, party_id=party.id, public_key=key.compressed)
        record_key(row, record)
        self._session.add(row)
        if party.present_account is None and record.speaks and record.acts:
            party.present_account, party.present_key = account, key.compressed
        self._session.flush()

    def _kinds(self, claims: Stated) -> dict[str, PartyKind]:
        """Return for each role in the request a kind of party that the scenario allows; the true kind is unknown."""
        fallback = {"subject": PartyKind.ENTERPRISE, "consumer": PartyKind.BANK, "provider": PartyKind.PUBLIC_INST}
        try:
            scenario = self._scenarios.get(claims["scenario"])
        except PingzhengError:
            return fallback
        found = {"subject": sorted(scenario.subject_kinds), "consumer": sorted(scenario.consumer_kinds)}
        return fallback | {role: PartyKind(kinds[0]) for role, kinds in found.items() if kinds}

    def _known(self, *parties: str) -> bool:
        return all(self._session.get(Party, each) is not None for each in parties)

    def _nothing(self, digest: str) -> str:
        return seal_nothing(self._session, erased=digest in self._erased)

    def _add_request(self, stated: Stated) -> AccessRequest | None:
        known = self._session.get(AccessRequest, stated["id"])
        if known is not None or not self._known(stated["subject"], stated["consumer"]):
            return known
        digest = statement_digest(stated)
        row = AccessRequest(
            id=stated["id"],
            digest=digest,
            scenario=stated["scenario"],
            subject=stated["subject"],
            consumer=stated["consumer"],
            # The bundle contains a certificate that was issued for this request, so the request was fulfilled.
            state="fulfilled",
            expires_at=stated["expires_at"],
            sealed_id=self._nothing(digest),
            created_at=stated["iat"],
        )
        self._session.add(row)
        self._session.flush()
        return row

    def _add_authorization(self, stated: Stated, request: AccessRequest | None) -> None:
        if request is None or not self._known(stated["provider"]):
            return
        # Nothing is added if the database has this authorization. Nothing is added either if it has another
        # authorization for the same source: the subject may have given a new authorization since the restore.
        same = (Authorization.request_id == request.id) & (Authorization.source == stated["source"])
        if self._session.scalar(select(Authorization.id).where((Authorization.id == stated["id"]) | same)):
            return
        digest = statement_digest(stated)
        self._session.add(
            Authorization(
                id=stated["id"],
                digest=digest,
                request_id=request.id,
                scenario=stated["scenario"],
                subject=stated["subject"],
                consumer=stated["consumer"],
                source=stated["source"],
                provider=stated["provider"],
                state="withdrawn" if digest in self._chain.withdrawn else "active",
                sealed_id=self._nothing(digest),
                created_at=stated["iat"],
            )
        )
        self._session.flush()

    def _add_provision(self, stated: Stated, request: AccessRequest | None) -> None:
        named = hex_of(stated["authorization"])
        consent = self._session.scalar(select(Authorization).where(Authorization.digest == named))
        if consent is None or request is None or self._session.get(Provision, stated["id"]) is not None:
            return
        numbered = select(func.max(Provision.number)).where(Provision.authorization_id == consent.id)
        digest = statement_digest(stated)
        self._session.add(
            Provision(
                id=stated["id"],
                authorization_id=consent.id,
                number=(self._session.scalar(numbered) or 0) + 1,
                provider=stated["provider"],
                digest=digest,
                result=stated["result"],
                reason=stated["reason"],
                sealed_id=self._nothing(digest) if stated["result"] == "supplied" else None,
                created_at=stated["iat"],
            )
        )
        for claim in stated["claims"].values():
            if self._session.get(SeenClaim, claim) is None:
                self._session.add(SeenClaim(digest=claim, request_id=request.id))
        self._session.flush()

    def _add_certificate(self, presented: Presented, request: AccessRequest | None, batch: Batch) -> list[str]:
        claims, number = presented.claims, presented.claims["certificate_no"]
        digest = statement_digest(claims)
        row = self._session.get(Certificate, number)
        if row is None:
            before = self._superseded(claims)
            row = Certificate(
                certificate_no=number,
                cls=claims["class"],
                seq=claims["seq"],
                digest=digest,
                scenario=claims["scenario"],
                issuer=claims["iss"],
                subject=claims["sub"],
                consumer=claims.get("consumer"),
                request_id=None if request is None else request.id,
                version=self._version(claims, request, before),
                supersedes=None if before is None or self._superseded_by(before) else before.certificate_no,
                exp=claims["exp"],
                max_uses=claims.get("max_uses"),
                token=self._token(presented),
                created_at=batch.at or batch.closed_at,
            )
            self._session.add(row)
            self._session.flush()
        elif row.digest != digest:
            raise InvalidInput(
                "ADOPT_NUMBER_TAKEN",
                "Another certificate in this ledger has the same number.",
                where=number,
                hint="Stop issuing, and compare both certificates with the chain.",
            )
        return self._add_claims(row, presented, digest)

    def _add_claims(self, row: Certificate, presented: Presented, digest: str) -> list[str]:
        """Encrypt the disclosed claims, and the claims that earlier bundles disclosed. Leave out erased claims."""
        came = {item.encoded: item for item in presented.disclosures}
        supplied = row.sealed_id is None and row.request_id is not None and self._supplied_here(presented.claims)
        # If a version is erased, the texts of its provisions may still exist, because a newer version may use the same
        # provisions. The erased version must not get its claims from these texts.
        if supplied and digest not in self._erased:
            return []
        if not came or self._erased & {digest, row.subject}:
            if row.sealed_id is None and presented.claims.get("_sd"):
                row.sealed_id = self._nothing(digest)
            return []
        if row.sealed_id is not None:
            sealed = self._session.get_one(Sealed, row.sealed_id)
            if sealed.wrapped_key is None and sealed.key_id != LOST:
                return []
            if sealed.wrapped_key is not None:
                opened = self._sealer.open_with(self._session, sealed.id, sealed.key_id.removeprefix(CLOSED))
                known = {item: Disclosed.decode(item) for item in opened} if isinstance(opened, list) else {}
                if came.keys() <= known.keys():
                    return []
                came = known | came
        row.sealed_id = self._sealer.seal(self._session, list(came))
        if closed(self._session):
            # While texts of a restored ledger are closed (unreadable), nobody knows whether this text was erased too,
            # so this text is closed as well.
            close(self._session, row.sealed_id)
        self._session.flush()
        return sorted(item.name for item in came.values())

    def _supplied_here(self, claims: Stated) -> bool:
        """Return whether the certificate's provisions have all its disclosures, even if these were erased. In that case
        the certificate needs no copy of its own.
        """
        named = [hex_of(each) for each in claims.get("provisions", ())]
        lost = (Sealed.wrapped_key.is_(None)) & (Sealed.key_id == LOST)
        query = select(Provision.digest).join(Sealed, Sealed.id == Provision.sealed_id)
        found = self._session.scalars(query.where(Provision.digest.in_(named), ~lost))
        return bool(named) and {*named} <= {*found}

    def _superseded(self, claims: Stated) -> Certificate | None:
        if claims["supersedes"] is None:
            return None
        digest = hex_of(claims["supersedes"])
        return self._session.scalar(select(Certificate).where(Certificate.digest == digest))

    def _superseded_by(self, before: Certificate) -> str | None:
        """Return the number of the certificate that supersedes this certificate in this database, or None."""
        query = select(Certificate.certificate_no).where(Certificate.supersedes == before.certificate_no)
        return self._session.scalar(query)

    def _version(self, claims: Stated, request: AccessRequest | None, before: Certificate | None) -> int:
        """Return the certificate's original version number; if another certificate of the request has this number,
        return the next free number.
        """
        was = 1 if claims["supersedes"] is None else 2 if before is None else before.version + 1
        if request is None:
            return was
        taken = set(self._session.scalars(select(Certificate.version).where(Certificate.request_id == request.id)))
        return max(taken) + 1 if was in taken else was

    def _token(self, presented: Presented) -> str | None:
        """Return the bundle's signed certificate if a key of the issuer signed it.

        Otherwise return None: then the certificate must be signed again.
        """
        key = self._session.get(PartyKey, presented.issued.kid)
        if key is None or key.party_id != presented.claims["iss"] or not presented.issued.signed_by(key.public_key):
            return None
        return self._bundle.certificate.split("~")[0]
