"""§8: a bundle with its facts, and what the facts said at the time for which the bundle is judged."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tests.proof.second.bundle import Certificate
from tests.proof.second.notation import Json, require
from tests.proof.second.signatures import Signed, key_of_text, require_installed, signed_by

ENDS = ("valid_to", "reported_at", "compromised_at")


@dataclass(frozen=True)
class Case:
    """A well-formed bundle with the facts, the time for which it is judged, and the verifier's expectation."""

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
        """Return the anchor of a position's batch; refuse if the bundle does not have it."""
        return known(self.bundle["anchors"], issuer=position["issuer"], batch=position["batch"])

    def history(self, kind: str, **named: str | int) -> list[Json]:
        """Return the changes in a history that happened up to the time for which the bundle is judged."""
        return [change for change in known(self.facts[kind], **named)["history"] if change["at"] <= self.at]

    def require_not_held(self, reference: str) -> None:
        """Require that no institution holds the statement. The last recorded change lists the institutions that hold
        it from then on; if no change is recorded, none does.
        """
        changes = self.history("holds", statement=digits_of(reference))
        require([{"offices": []}, *changes][-1]["offices"] == [])

    def require_not_withdrawn(self, reference: str, party: str, by: Sequence[str]) -> None:
        """Require that the party has not withdrawn the statement on the chain. ``by`` names the members of the facts
        that contain the times of withdrawal; 0 means never.
        """
        withdrawal = known(self.facts["withdrawals"], party=party, statement=digits_of(reference))
        require(*(withdrawal[time] == 0 or self.at < withdrawal[time] for time in by))

    def signer(self, signed: Signed, position: Json, ends: Sequence[str] = ENDS) -> str:
        """Return the party whose key made the signature; the key must be valid when the entry was anchored.

        ``ends`` names the members of an account that say from when its signatures are invalid.
        """
        require_installed(signed.header["alg"])
        account = self.facts["accounts"].get(signed.header["kid"])
        require(account)
        anchored = self.anchor_of(position)["at"]
        require(account["valid_from"] <= anchored, *(account[end] == 0 or anchored < account[end] for end in ends))
        require(signed_by(signed, key_of_text(account["key"])))
        return account["party"]


def known(listed: list[Json], **named: str | int) -> Json:
    """Return the item of ``listed`` whose members have the values in ``named``; refuse if there is none."""
    found = [each for each in listed if all(each[name] == value for name, value in named.items())]
    require(found)
    return found[0]


def digits_of(reference: str) -> str:
    return reference.removeprefix("sha-256:")
