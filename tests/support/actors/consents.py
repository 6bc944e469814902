"""Makes a firm's consent, and a certificate and a presentation that are based on this consent."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from ledger.proof.acts import sign_act
from ledger.proof.jws import Signer, sign_entry
from ledger.proof.report import Report
from ledger.proof.verifier import Expectation
from ledger.store.tables import Entry
from ledger.usage.withdrawals import WithdrawalDraft
from tests.support.actors.pilots import Pilot


class Consent:
    """A firm's consent, with a certificate that is based on it and a presentation of this certificate."""

    def __init__(self, pilot: Pilot) -> None:
        self.pilot, self.firm = pilot, pilot.firm()
        self.number = pilot.certificate(self.firm)
        self.bundle, self.nonce = pilot.present(self.firm, self.number)
        self.subject = pilot.cast.firms[self.firm]
        (self.given,) = pilot.ledger.usage.authorizations.page(self.subject, None, 9)
        self.signer = pilot.actors.signer_of(self.subject)

    def report(self) -> Report:
        """Let the bank verify the presentation that ``__init__`` made, and return the bank's report."""
        expect = Expectation(consumer=self.pilot.cast.bank, nonce=self.nonce)
        return self.pilot.ledger.verification.verify(self.bundle.to_bytes(), expect).report

    def draft(self, signer: Signer | None = None) -> WithdrawalDraft:
        return self.pilot.ledger.usage.withdrawals.draft(self.given.id, (signer or self.signer).kid)

    def withdraw(self, signer: Signer | None = None) -> dict[str, Any]:
        """Withdraw the consent in the subject's name, and return the withdrawal entry."""
        signer = signer or self.signer
        draft = self.draft(signer)
        entry = sign_entry(draft.entry, signer)
        act = None if draft.message is None else sign_act(draft.message, signer)
        assert self.pilot.ledger.usage.withdrawals.withdraw(entry, act).state == "withdrawn"
        return entry

    def since(self) -> int:
        """Return the time at which the subject withdrew the consent on the chain; 0 if the consent is not withdrawn."""
        reader = self.pilot.ledger.reader
        return reader.withdrawn_at(reader.party_no(self.subject), self.given.digest).first

    def recorded(self) -> list[str]:
        """Return the digests of all log entries that withdraw this consent."""
        with self.pilot.ledger.database.read() as session:
            digests = session.scalars(select(Entry.digest).where(Entry.about == self.given.digest)).all()
        return list(digests)

    def untouched(self) -> bool:
        state = self.pilot.ledger.usage.authorizations.get(self.given.id).state
        return (state, self.since(), self.recorded()) == ("active", 0, []) and self.report().valid
