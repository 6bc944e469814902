"""Brings each certificate to its end: the certificate is used, or a check finds its fault and refuses it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from ledger.certificates.verification.judging import Verified
from ledger.certificates.verification.verification import MAX_TOGETHER, Received
from ledger.chain.sending import calls
from ledger.chain.withdrawing import withdraw_by_itself
from ledger.demo.actors import Actors
from ledger.demo.data.mixture import Fate
from ledger.demo.data.people import Member
from ledger.demo.earlier_runs import EarlierRuns
from ledger.demo.endings import Each, Ending, caught, refused, refused_by_contract
from ledger.demo.forgeries import all_on_time, claimed, issue_crooked
from ledger.demo.keepsakes import Keepsakes, Presented
from ledger.demo.tally import Caught
from ledger.domain.definitions.scenario import Scenario
from ledger.errors import Conflict, Forbidden
from ledger.proof.acts import sign_act
from ledger.proof.jws import sign_entry
from ledger.proof.report import result_of
from ledger.proof.sdjwt import Disclosed
from ledger.store.sets import portions
from ledger.usage.withdrawals import CONSENT_WITHDRAWN

# Claims with these rules contain a name or an identifier. They are not presented, so that no saved file contains them.
_IDENTIFYING: Final = ("attribute", "text")
# In S01 the subject does not allow the last field. The dishonest platform certifies the field all the same, with this
# invented value: the field's rule allows any digest.
_MADE_UP: Final = "sha-256:" + "0" * 64


@dataclass(eq=False, repr=False)
class ShownCertificates:
    """Presents certificates to the consumers, which verify and use them.

    Before each act, the ledger is searched for the same act of an earlier run. A presentation that an earlier run made
    and that was refused is not repeated; its result is read from the record.
    """

    actors: Actors
    _scenarios: Mapping[str, Scenario]
    _other: str
    _supervisors: tuple[str, str]
    _keepsakes: Keepsakes

    def __post_init__(self) -> None:
        self.ledger = self.actors.ledger
        self._earlier = EarlierRuns(self.ledger)

    def end_all(
        self, members: Sequence[Member], correct: Callable[[Member], str], used: Collection[str], each: Each = map
    ) -> list[Ending]:
        """Use the certificates of a scenario's members, or let checks refuse them, as planned; at most ``MAX_TOGETHER``
        members.

        Consumers verify and use the certificates in sets. ``correct`` corrects a certificate and returns the number of
        the new certificate. ``used`` contains the certificates that were used in an earlier run. ``each`` calls a
        function for all members, perhaps in several threads.
        """

        def begun(member: Member) -> Ending:
            ending = Ending(found=member.certificate in used, to_use=member.certificate)
            if member.fate in _ACTS:
                _ACTS[member.fate](self, member, ending, correct)
            return ending

        endings = list(each(begun, members))
        self._refuse(endings)
        self._use(list(zip(members, endings, strict=True)), each)
        for member, ending in zip(members, endings, strict=True):
            if member.fate is Fate.USED_TWICE:
                expected = refused("一次凭证用两次 used twice", "9 uses", "USED_UP")
                self._caught(member, ending, expected)
        self._refuse(endings)
        return endings

    def granted(self, member: Member) -> tuple[str, ...]:
        """Return the fields that the subject allows."""
        fields = tuple(field.name for field in self._scenarios[member.scenario].fields)
        return fields[:-1] if member.fate in FEWER else fields

    def _use(self, ends: Sequence[tuple[Member, Ending]], each: Each) -> None:
        """Present the certificates that are to be used. Each consumer then verifies and uses all its certificates in
        one call.
        """
        fresh = []
        for member, ending in ends:
            if not ending.to_use:
                continue
            if self._used(ending, member, ending.to_use):
                number = ending.to_use
                self._keepsakes.look_after(member, partial(self._presented, member, number))
                ending.verified = True
                ending.entries += 2
            else:
                fresh.append((member, ending))
        presented = list(each(lambda end: self._presented(end[0], end[1].to_use), fresh))
        for (member, _), shown in zip(fresh, presented, strict=True):
            # The presentation is saved before the certificate is used, so that the presentation is not lost if the run
            # is interrupted.
            self._keepsakes.keep(member, shown)
        for (_, ending), verified in zip(fresh, self._accepted(presented), strict=True):
            report = ending.judged(verified)
            if report.valid:
                ending.verified = True
            else:
                failed = report.first_failure
                ending.unexpected = ending.to_use
                if failed is not None:
                    ending.unexpected += f": {failed.number} {failed.name} {failed.code}"

    def _refuse(self, endings: Sequence[Ending]) -> None:
        """Present the certificates that must be refused, and note which check refused them."""
        shown = [(ending, *look) for ending in endings for look in ending.to_refuse]
        verified = self._accepted([presented for _, presented, _ in shown])
        for (ending, _, expected), answer in zip(shown, verified, strict=True):
            ending.caught.append(caught(expected.case, expected.expected, ending.judged(answer)))
        for ending in endings:
            ending.to_refuse.clear()

    def _accepted(self, presented: Sequence[Presented]) -> list[Verified]:
        """Let each consumer verify all certificates that are presented to it. A valid certificate is used."""
        answers: dict[str, Verified] = {}
        for consumer in dict.fromkeys(each.consumer for each in presented):
            own = [Received(each.raw, each.nonce) for each in presented if each.consumer == consumer]
            for some in portions(own, MAX_TOGETHER):
                found = self.ledger.verification.accept_all(self.ledger.actor(consumer), some)
                answers |= {each.nonce: Verified.of(answer) for each, answer in zip(some, found, strict=True)}
        return [answers[each.nonce] for each in presented]

    def _used(self, ending: Ending, member: Member, number: str) -> bool:
        if number == member.certificate:
            return ending.found
        # A corrected certificate has a new number. Its use is not among those that were looked up for the members'
        # first certificates, so it is looked up here.
        ending.found = bool(self._earlier.used([number]))
        return ending.found

    def _presented(
        self, member: Member, number: str, consumer: str | None = None, extra: tuple[str, ...] = ()
    ) -> Presented:
        nonce = self.ledger.verification.new_nonce()
        bundle = self.actors.show(number, nonce, (*self._shown(member), *extra))
        return Presented(bundle.to_bytes(), consumer or str(self.ledger.usage.holdings.get(number).consumer), nonce)

    def _caught(
        self,
        member: Member,
        ending: Ending,
        expected: Caught,
        *,
        number: str = "",
        consumer: str | None = None,
        change: Callable[[bytes], bytes] = bytes,
        extra: tuple[str, ...] = (),
    ) -> None:
        """Plan to present a certificate that must be refused. If the ``expected`` refusal is already recorded, nothing
        is presented.
        """
        number = number or member.certificate
        asker = consumer or str(self.ledger.usage.holdings.get(number).consumer)
        if result_of(expected.code, int(expected.expected.split()[0])) in self._earlier.looks(number).get(asker, ()):
            ending.entries += 1
            ending.caught.append(expected)
            return
        presented = self._presented(member, number, asker, extra)
        ending.to_refuse.append((replace(presented, raw=change(presented.raw)), expected))

    def _shown(self, member: Member) -> tuple[str, ...]:
        rules = {field.name: field.rule for field in self._scenarios[member.scenario].fields}
        return tuple(name for name in self.granted(member) if rules[name]["op"] not in _IDENTIFYING)

    def _withdrawn(self, member: Member, ending: Ending, _correct: object) -> None:
        ending.to_use = ""
        consent = member.first_consent
        if not self._earlier.withdrawn(consent):
            draft, signer = self.ledger.usage.withdrawals.draft(consent), self.actors.signer_of(member.party)
            act = None if draft.message is None else sign_act(draft.message, signer)
            self.ledger.usage.withdrawals.withdraw(sign_entry(draft.entry, signer), act)
        # An earlier run that was interrupted may have recorded the withdrawal without revoking the certificate. So a
        # certificate that is not revoked yet is revoked here.
        self._revoke(member, CONSENT_WITHDRAWN)
        ending.entries += 1
        self._caught(member, ending, refused("使用前撤回授权 withdrawn before use", "8 status", "REVOKED"))

    def _withdrawn_alone(self, member: Member, ending: Ending, _correct: object) -> None:
        ending.to_use = ""
        consent = self.ledger.usage.authorizations.get(member.first_consent)
        number = self.ledger.reader.party_no(member.party)
        if not self.ledger.reader.withdrawn_at(number, consent.digest).first:
            key = self.ledger.custody.private_key(self.ledger.parties.register.get(member.party).account)
            payer = self.ledger.custody.private_key(self.ledger.client.account)
            bundle = self.ledger.certificates.bundles.build(member.certificate)
            withdraw_by_itself(bundle, self.ledger.reader.connection.url, key, payer=payer)
        # If a running service has already seen the withdrawal and revoked the certificate, check 8 refuses the
        # certificate before check 11 can.
        followed = consent.state == "withdrawn"
        check, code = ("8 status", "REVOKED") if followed else ("11 authorization", "AUTHORIZATION_WITHDRAWN")
        case = "主体自行上链撤回 withdrawn on the chain by the subject itself"
        self._caught(member, ending, refused(case, check, code))

    def _revoked(self, member: Member, ending: Ending, _correct: object) -> None:
        ending.to_use = ""
        self._revoke(member, "data_error")
        self._caught(member, ending, refused("已撤销 revoked, with a reason", "8 status", "REVOKED"))

    def _revoke(self, member: Member, reason: str) -> None:
        status = self.ledger.certificates.status
        status.revoke_position(status.position(member.certificate), reason)

    def _corrected(self, member: Member, ending: Ending, correct: Callable[[Member], str]) -> None:
        successor = correct(member)
        # A correction adds three log entries: the old provision's withdrawal, the new provision and the new
        # certificate.
        ending.entries += 3
        self._caught(member, ending, refused("更正前的旧凭证 superseded by a correction", "8 status", "SUPERSEDED"))
        ending.to_use = successor

    def _expired(self, member: Member, ending: Ending, _correct: object) -> None:
        ending.to_use = ""
        self._caught(member, ending, refused("已过期 expired", "7 validity", "EXPIRED"))

    def _wrong_consumer(self, member: Member, ending: Ending, _correct: object) -> None:
        case = "由别的使用方核验 verified by another consumer"
        self._caught(member, ending, refused(case, "10 party", "NOT_PARTY"), consumer=self._other)

    def _altered(self, member: Member, ending: Ending, _correct: object) -> None:
        """Present a certificate in which one byte is changed. The service keeps no record of such a presentation, so
        every run presents the changed certificate again.
        """
        case = "改动一个字节 altered by one byte"
        self._caught(member, ending, refused(case, "2 signature", "SIGNATURE_INVALID"), change=_with_nine_uses)

    def _outside(self, member: Member, ending: Ending, _correct: object) -> None:
        case = "要求授权外字段（签发端）field outside the authorization, asked of the platform"
        try:
            self.ledger.certificates.bundles.build(member.certificate, (*self.granted(member), self._left_out(member)))
            ending.caught.append(Caught(case, "–", "VALID", "service"))
        except Forbidden as refusal:
            ending.caught.append(Caught(case, "service", refusal.code, "service"))

    def _crooked(self, member: Member, ending: Ending, _correct: object) -> None:
        field = self._left_out(member)
        case = "平台违规签发授权外字段 issued by a platform that breaks its own rule"
        self._lie(member, ending, lambda hidden: [*hidden, claimed(field, _MADE_UP)], case, (field,))

    def _altered_claim(self, member: Member, ending: Ending, _correct: object) -> None:
        """As a lying platform, certify that everything was paid on time, although the source answered otherwise."""
        self._lie(member, ending, all_on_time, "平台改动字段的值 a claim altered by the platform")

    def _held(self, member: Member, ending: Ending, _correct: object) -> None:
        """As a supervisor, place a hold on the certificate, which takes effect at once. Only two supervisors together
        can lift the hold.
        """
        (first, second), proposals = self._supervisors, self.ledger.proposals
        held = self.ledger.usage.holdings.get(member.certificate), self.ledger.usage.requests.get(member.request)
        call = calls.lift("supervisor", [row.digest for row in held])
        lift = proposals.of_act(self.ledger.client.act_of(call))
        if lift is None or not (lift.pending or lift.state == "carried_out"):
            self.ledger.certificates.holds.hold(member.certificate, "investigation", first)
        self._caught(member, ending, refused("监管方冻结 held by a supervisor", "8 status", "HELD"))
        # This presentation must be verified before the hold is lifted.
        self._refuse([ending])
        case = "一个监管方自行恢复 the hold lifted by one supervisor alone"
        if lift is None or not (lift.pending or lift.state == "carried_out"):
            lift = proposals.propose(first, call)
        if lift.pending:
            one, other = self.ledger.actor(first), self.ledger.actor(second)
            ending.caught.append(refused_by_contract(case, lambda: proposals.confirm(one, lift.no)))
            proposals.confirm(other, lift.no)
        else:
            alone = lift.confirmed_by in (None, first)
            ending.caught.append(refused(case, "contract", "TOOK_EFFECT" if alone else "PARTY_OWN_PROPOSAL"))

    def _lie(
        self,
        member: Member,
        ending: Ending,
        change: Callable[[Sequence[Disclosed]], Sequence[Disclosed]],
        case: str,
        extra: tuple[str, ...] = (),
    ) -> None:
        crooked = self._earlier.forged(member) or issue_crooked(self.ledger, member.certificate, change)
        self.ledger.certificates.status.position(crooked)
        ending.entries += 1
        expected = refused(case, "11 authorization", "CLAIMS_NOT_PROVIDED")
        self._caught(member, ending, expected, number=crooked, extra=extra)

    def _left_out(self, member: Member) -> str:
        return self._scenarios[member.scenario].fields[-1].name


def late(actors: Actors, member: Member) -> Caught:
    """Try to sign an authorization after the request's deadline, and return the refusal."""
    case = "过期后才授权 authorised after the request had expired"
    try:
        actors.agree([member.request])
    except Conflict as refusal:
        return Caught(case, "service", refusal.code, "service")
    return Caught(case, "–", "AUTHORISED", "service")


def _with_nine_uses(raw: bytes) -> bytes:
    bundle = json.loads(raw)
    head, payload, rest = bundle["certificate"].split(".", 2)
    body = bytearray(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    body[body.index(b'"max_uses":1') + 11] = ord("9")
    altered = base64.urlsafe_b64encode(body).rstrip(b"=").decode()
    bundle["certificate"] = f"{head}.{altered}.{rest}"
    return json.dumps(bundle).encode()


FEWER: Final = frozenset({Fate.FEWER_FIELDS, Fate.OUTSIDE, Fate.CROOKED})

_ACTS: Final = {
    Fate.WITHDRAWN: ShownCertificates._withdrawn,
    Fate.WITHDRAWN_ALONE: ShownCertificates._withdrawn_alone,
    Fate.REVOKED: ShownCertificates._revoked,
    Fate.CORRECTED: ShownCertificates._corrected,
    Fate.EXPIRED: ShownCertificates._expired,
    Fate.WRONG_CONSUMER: ShownCertificates._wrong_consumer,
    Fate.ALTERED: ShownCertificates._altered,
    Fate.OUTSIDE: ShownCertificates._outside,
    Fate.CROOKED: ShownCertificates._crooked,
    Fate.ALTERED_CLAIM: ShownCertificates._altered_claim,
    Fate.HELD: ShownCertificates._held,
}


def simply_used(member: Member) -> bool:
    """Return whether the member's certificate is used, and nothing else is planned for it."""
    return member.fate not in _ACTS and member.fate is not Fate.USED_TWICE
