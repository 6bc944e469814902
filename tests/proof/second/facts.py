"""§8: a case, and what the facts say of it at the time judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.proof.second.bundle import Certificate
from tests.proof.second.notation import Json, require
from tests.proof.second.signatures import Signed, key_of_text, require_installed, signed_by

ENDS = ("valid_to", "reported_at", "compromised_at")


@dataclass(frozen=True)
class Case:
    """A bundle that is well-formed, the facts, the time judged, and who verifies."""

    bundle: Json
    certificate: Certificate
    evidence: dict[str, tuple[Json, Json]]
    facts: Json
    at: int
    consumer: str | None
    nonce: str | None
    max_age: int | None
    received: int | None
    templates: Collection[str] | None

    @property
    def claims(self) -> Json:
        return self.certificate.claims

    @property
    def usage(self) -> bool:
        return self.claims["class"] == "usage"

    def anchor_of(self, position: Json) -> Json:
        """Every position's batch has an anchor in the bundle."""
        return known(self.bundle["anchors"], issuer=position["issuer"], batch=position["batch"])

    def history(self, kind: str, **named: str | int) -> list[Json]:
        """What counts of it at the time judged."""
        return [change for change in known(self.facts[kind], **named)["history"] if change["at"] <= self.at]

    def require_not_held(self, reference: str) -> None:
        """The last change decides; without one the statement is not held."""
        changes = self.history("holds", statement=digits_of(reference))
        require([{"offices": []}, *changes][-1]["offices"] == [])

    def require_not_withdrawn(self, reference: str, party: str, by: Sequence[str]) -> None:
        """By the party on the chain, at one of these times; 0 is no time."""
        withdrawal = known(self.facts["withdrawals"], party=party, statement=digits_of(reference))
        require(*(withdrawal[time] == 0 or self.at < withdrawal[time] for time in by))

    def signer(self, signed: Signed, position: Json, ends: Sequence[str] = ENDS) -> str:
        """The party whose key made the signature, and was in force when the entry was anchored.

        ``ends`` are the times of the account from which its signatures do not count.
        """
        require_installed(signed.header["alg"])
        account = self.facts["accounts"].get(signed.header["kid"])
        require(account)
        anchored = self.anchor_of(position)["at"]
        require(account["valid_from"] <= anchored, *(account[end] == 0 or anchored < account[end] for end in ends))
        require(signed_by(signed, key_of_text(account["key"])))
        return account["party"]


def known(listed: list[Json], **named: str | int) -> Json:
    """What is listed under these names; what is not listed is not known."""
    found = [each for each in listed if all(each[name] == value for name, value in named.items())]
    require(found)
    return found[0]


def digits_of(reference: str) -> str:
    return reference.removeprefix("sha-256:")
