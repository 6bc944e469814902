"""Records the acts that a ledger acknowledged, and checks with bundles and public states that their results exist."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlalchemy import select

from ledger.certificates.tables import Certificate
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.proof.verifier import Expectation
from ledger.store.tables import Entry
from tests.faults.prepared_homes import ENDED, LATE, Prepared
from tests.support.machine.fault_counts import Tally

# The error codes of a bundle whose texts were erased.
ERASED = {"SEALED_ERASED", "PAYLOAD_ERASED", "ERASED"}
# For each public state: the checks that must fail for a bundle. Check 10 fails because no consumer is named; check 8 is
# about the status.
_AS_KEPT = {"active": {10}, "revoked": {8, 10}}


@dataclass
class Acts:
    """The acknowledged acts: the certificate of each request, and the state of each certificate that is no longer
    active.
    """

    tally: Tally
    issued: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of_early(cls, prepared: Prepared, tally: Tally) -> Acts:
        """Return the acts that were acknowledged before the home ``prepared.early`` was copied from the ledger."""
        acts = cls(tally)
        for request, number in zip(prepared.requests, prepared.numbers[: len(prepared.numbers) // 2], strict=False):
            acts.add(request, number)
        return acts

    @classmethod
    def of_late(cls, prepared: Prepared, tally: Tally) -> Acts:
        """Return the acts that were acknowledged before the home ``prepared.late`` was copied from the ledger."""
        acts = cls(tally)
        for request, number in zip(prepared.requests, prepared.numbers, strict=False):
            acts.add(request, number)
        acts.ended(prepared.numbers[ENDED])
        return acts

    def add(self, request: str, number: str) -> None:
        """Record that the certificate of a request was acknowledged. If the same certificate is acknowledged again,
        this is no new act.
        """
        known = self.issued.get(request)
        if known == number:
            return
        if known is not None or number in self.issued.values():
            self.tally.twice.append(f"{number} for {request}, which had {known}")
        self.issued[request] = number
        self.tally.acknowledged.append(f"issued {number}")

    def ended(self, number: str) -> None:
        """Record that the revocation of the certificate was acknowledged."""
        self.states[number] = "revoked"
        self.tally.acknowledged.append(f"revoked {number}")

    def forget(self) -> None:
        """Forget the acts that were done in earlier copies of the late home, because the next copy does not have the
        certificates of these acts.
        """
        self.issued = dict(list(self.issued.items())[:LATE])

    def issue(self, ledger: Ledger, request: str) -> str:
        """Issue and anchor a certificate, and record it as acknowledged. If issuing or anchoring raises an error,
        nothing is recorded.
        """
        (row,) = ledger.usage.issuance.issue(ledger.actor(ledger.party), [request])
        ledger.anchoring.flush()
        self.add(request, row.certificate_no)
        return row.certificate_no

    def end(self, ledger: Ledger, number: str) -> None:
        """Revoke a certificate, and record this. The certificate may already be revoked by an act that was not
        acknowledged.
        """
        ledger.certificates.status.revoke_position(ledger.certificates.status.position(number), "data_error")
        self.ended(number)

    def gone(self, ledger: Ledger, numbers: Iterable[str]) -> None:
        """Check that the texts of these certificates are erased: making a bundle must fail. From then on, ``check``
        leaves them out.
        """
        for number in numbers:
            try:
                ledger.certificates.bundles.build(number)
            except PingzhengError as error:
                if error.code in ERASED:
                    continue
            self.tally.lost.append(f"{number}: its erasure was acknowledged, and there is a bundle")
        self.issued = {request: each for request, each in self.issued.items() if each not in set(numbers)}

    def check(self, ledger: Ledger, *, gaps: bool = False) -> None:
        """Check that the repaired ledger has the result of every acknowledged act.

        ``gaps`` is true after a restore without an archive: such a restore may lose entries, but it lists them.
        """
        ledger.anchoring.flush()
        ledger.follower.sync()
        self._count(ledger, gaps)
        for request, number in self.issued.items():
            state = self.states.get(number, "active")
            try:
                found = self._found(ledger, number)
            except PingzhengError as error:
                found = error.code
            if found != state:
                self.tally.lost.append(f"{number} of {request}: {found}, acknowledged as {state}")

    def _count(self, ledger: Ledger, gaps: bool) -> None:
        with ledger.database.read() as session:
            rows = session.execute(select(Certificate.certificate_no, Certificate.request_id, Certificate.digest)).all()
            seqs = list(session.scalars(select(Entry.seq).order_by(Entry.seq)))
        known = {row.request_id: row.certificate_no for row in rows}
        for request, number in self.issued.items():
            if request in known and known[request] != number:
                self.tally.twice.append(f"{request} has {known[request]}, acknowledged was {number}")
        for column in zip(*rows, strict=True):
            self.tally.twice += [str(value) for value, times in Counter(column).items() if times > 1]
        if not gaps and seqs != list(range(len(seqs))):
            self.tally.lost.append("the log has a gap")

    @staticmethod
    def _found(ledger: Ledger, number: str) -> str:
        """Return the public state of a certificate; if its bundle does not agree with this state, also the numbers of
        the failed checks.
        """
        public = str(ledger.verification.public_status(number)["state"])
        raw = ledger.certificates.bundles.build(number).to_bytes()
        report = ledger.verification.verify(raw, Expectation()).report
        failed = {check.number for check in report.checks if check.verdict == "failed"}
        return public if failed == _AS_KEPT.get(public) else f"{public}, fails {sorted(failed)}"
