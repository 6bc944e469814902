"""§8: a case, and what the facts say of it at the time judged."""

from __future__ import annotations

from dataclasses import dataclass

from tests.proof.second.bundle import Certificate
from tests.proof.second.notation import Json, require
from tests.proof.second.signatures import Signed, key_of_text, signed_by


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

    @property
    def claims(self) -> Json:
        return self.certificate.claims

    @property
    def usage(self) -> bool:
        return self.claims["class"] == "usage"

    def anchor_of(self, position: Json) -> Json:
        """Every position's batch has an anchor in the bundle."""
        found = [anchor for anchor in self.bundle["anchors"] if anchor["batch"] == position["batch"]]
        require(found)
        return found[0]

    def history(self, kind: str, position: Json) -> list[Json]:
        """What counts of it at the time judged; of a position that is not listed nothing is known."""
        found = [told for told in self.facts[kind] if position == {"batch": told["batch"], "index": told["index"]}]
        require(found)
        return [change for change in found[0]["history"] if change["at"] <= self.at]

    def signer(self, signed: Signed, position: Json) -> str:
        """The party whose key made the signature, and counted when the entry was anchored."""
        account = self.facts["accounts"].get(signed.header["kid"])
        require(account)
        start, end, stolen = (account[each] for each in ("valid_from", "valid_to", "compromised_at"))
        anchored = self.anchor_of(position)["at"]
        require(start <= anchored, end == 0 or anchored < end, stolen == 0 or anchored < stolen)
        require(signed_by(signed, key_of_text(account["key"])))
        return account["party"]

    def require_active(self, position: Json) -> None:
        """The last change of status decides, and without one the leaf is active."""
        require([{"status": "active"}, *self.history("status", position)][-1]["status"] == "active")
