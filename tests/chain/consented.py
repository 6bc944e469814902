"""Makes a bundle with anchored evidence. The entries have only the members that tests of facts and withdrawals need."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ledger.chain.reading.facts import collect_facts
from ledger.chain.sending import calls
from ledger.chain.withdrawing import DirectWithdrawal, withdraw_by_itself
from ledger.domain.canonical import canonical
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.proof.bundle import Anchor, Bundle, ChainId, Evidence, Position, StatusSeen
from ledger.proof.facts import Facts
from ledger.proof.jws import LocalSigner, Signer, public_jwk, sign_compact, sign_entry
from ledger.proof.merkle import Tree, leaf_hash
from ledger.proof.sdjwt import CERTIFICATE_TYP, parse_certificate
from tests.support.chain.deployed import PARTIES, SCENARIO, Chain, TestParty

FIRM, BANK, PROVIDER, ISSUER = (PARTIES[name] for name in ("enterprise", "bank", "provider", "issuer"))
SIZE = 300


@dataclass(frozen=True, slots=True)
class Consented:
    """A bundle whose anchored evidence is a provision, two authorizations of the firm and one of the bank."""

    chain: Chain
    bundle: Bundle

    def statement(self, identifier: str) -> str:
        """Return the digest of the evidence with this id."""
        return next(digest for digest, entry in self._entries() if entry["id"] == identifier)

    @property
    def certificate(self) -> str:
        """Return the digest of the certificate's signed statement."""
        return statement_digest(claims_of(self.bundle))

    @property
    def request(self) -> str:
        return str(claims_of(self.bundle)["request"]).removeprefix("sha-256:")

    def withdraw(self, key: str = FIRM.key, **options: Any) -> tuple[DirectWithdrawal, ...]:
        bundle = options.pop("bundle", self.bundle)
        return withdraw_by_itself(bundle, self.chain.node.url, bytes.fromhex(key), **options)

    def facts(self) -> Facts:
        return collect_facts(self.chain.reader, self.bundle)

    def with_evidence(self, place: int, **changes: Any) -> Bundle:
        evidence = list(self.bundle.evidence)
        evidence[place] = replace(evidence[place], **changes)
        return replace(self.bundle, evidence=tuple(evidence))

    def on_chain(self, **changes: Any) -> Bundle:
        return replace(self.bundle, chain=replace(self.bundle.chain, **changes))

    def _entries(self) -> list[tuple[str, Any]]:
        return [(statement_digest(item.statement), item.statement) for item in self.bundle.evidence]


def consent(chain: ChainId, identifier: str, signer: Signer, subject: str = FIRM.id) -> str:
    """Return a signed authorization as text."""
    return _entry(chain, signer, type="authorization", id=identifier, subject=subject)


def made(chain: Chain, signer: Signer | None = None) -> Consented:
    """Anchor the evidence and return the bundle. ``signer`` signs the firm's evidence; without it, the key of the
    firm's account signs.
    """
    ledger, signer = chain.deployment.chain, signer or signer_of(FIRM)
    placed = {
        7: consent(ledger, "FIRST", signer),
        256: consent(ledger, "SECOND", signer),
        8: consent(ledger, "THE BANKS", signer_of(BANK), BANK.id),
        9: _entry(ledger, signer_of(PROVIDER), type="provision", id="PROVISION", provider=PROVIDER.id),
    }
    tree = Tree([leaf_hash(placed.get(index, f"other {index}").encode()) for index in range(SIZE)])
    at = chain.client.send(calls.anchor(0, SIZE, tree.root)).time
    evidence = tuple(
        Evidence(text, Position(ISSUER.no, 0, index), tuple(tree.inclusion_proof(index)))
        for index, text in placed.items()
    )
    digests = {index: reference(statement_digest(item.statement)) for index, item in zip(placed, evidence, strict=True)}
    claims = {
        "class": "usage",
        "iss": ISSUER.id,
        "scenario": SCENARIO,
        "consumer": BANK.id,
        "request": reference("cd" * 32),
        "authorizations": [digests[7], digests[256]],
        "provisions": [digests[9]],
    }
    signers = [signer, signer_of(BANK), signer_of(PROVIDER), signer_of(ISSUER)]
    bundle = Bundle(
        chain=ledger,
        certificate=sign_compact(canonical(claims), signer_of(ISSUER), CERTIFICATE_TYP) + "~",
        position=Position(ISSUER.no, 0, 1),
        proof=(),
        evidence=evidence,
        anchors=(Anchor(ISSUER.no, 0, 0, SIZE, tree.root, at),),
        keys={each.kid: public_jwk(each.public_key) for each in signers},
        status=StatusSeen(1, "active"),
    )
    return Consented(chain, bundle)


def signer_of(party: TestParty) -> LocalSigner:
    return LocalSigner(bytes.fromhex(party.key), party.account)


def claims_of(bundle: Bundle) -> dict[str, Any]:
    return dict(parse_certificate(bundle.certificate).claims)


def _entry(chain: ChainId, signer: Signer, **members: str) -> str:
    return canonical(sign_entry({"v": 2, "ledger": chain.ledger, **members}, signer)).decode()
