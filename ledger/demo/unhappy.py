"""What becomes of a certificate: it is used, or caught at the check that names what is wrong with it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ledger.chain import calls
from ledger.chain.accounts import account_of, new_private_key
from ledger.chain.withdrawing import withdraw_by_itself
from ledger.connectors.answers import NoData
from ledger.demo.bureau import Bureau
from ledger.demo.mixture import Fate
from ledger.demo.people import Member
from ledger.demo.tally import Caught
from ledger.domain.entries import reference, statement_digest
from ledger.domain.scenario import Scenario
from ledger.errors import ChainRejected, Conflict, Forbidden, PingzhengError
from ledger.proof.acts import sign_act
from ledger.proof.facts import Facts
from ledger.proof.jws import LocalSigner, encode_base64url, public_jwk, sign_entry
from ledger.proof.report import Report
from ledger.proof.sdjwt import SALT_BYTES, Disclosed, disclose
from ledger.provider.manual import Given
from ledger.provider.task import Task
from ledger.service.issuance import add_certificate, next_number
from ledger.service.wiring import Ledger
from ledger.store import log as log_store
from ledger.store.records import certificate

# Claims that hold a name or a number are shown by the subject itself, and stand in no file that is left.
_TELLING: Final = ("attribute", "text")
# In the space of the rule that a claim left out has in S01: a digest.
_MADE_UP: Final = "sha-256:" + "0" * 64


@dataclass(frozen=True, slots=True)
class Kept:
    """What a consumer held when it verified: the bundle, the chain's facts, and the nonce it had given."""

    bundle: bytes
    facts: Facts | None
    consumer: str
    nonce: str


@dataclass(slots=True)
class Ending:
    """How it ended: what was caught, whether the certificate was used, the gas, and the entries of the log."""

    caught: list[Caught] = field(default_factory=list)
    verified: bool = False
    unexpected: str = ""
    gas: int = 0
    entries: int = 0
    kept: Kept | None = None


class Desk:
    """The consumers' desk: certificates are shown there, verified and used."""

    def __init__(
        self, bureau: Bureau, scenarios: Mapping[str, Scenario], other: str, supervisors: tuple[str, str]
    ) -> None:
        self.bureau = bureau
        self.ledger = bureau.ledger
        self._scenarios = scenarios
        self._other = other
        self._supervisors = supervisors

    def end(self, member: Member, correct: Callable[[Member], str]) -> Ending:
        """Let the member's fate take its course; ``correct`` gets the number of the corrected certificate."""
        ending = Ending()
        _ACTS.get(member.fate, Desk._ordinary)(self, member, ending, correct)
        return ending

    def granted(self, member: Member) -> tuple[str, ...]:
        """The fields that the subject allows."""
        fields = tuple(field.name for field in self._scenarios[member.scenario].fields)
        return fields[:-1] if member.fate in FEWER else fields

    def _ordinary(self, member: Member, ending: Ending, _correct: object = None) -> None:
        self._use(member, ending, member.certificate)

    def _use(self, member: Member, ending: Ending, number: str) -> None:
        report, kept = self._accept(member, ending, number)
        if report.valid:
            ending.verified, ending.kept = True, kept
        else:
            failed = report.first_failure
            ending.unexpected = f"{number}: {failed.number} {failed.name} {failed.code}" if failed else number

    def _accept(
        self,
        member: Member,
        ending: Ending,
        number: str,
        *,
        consumer: str | None = None,
        change: Callable[[bytes], bytes] = bytes,
        extra: tuple[str, ...] = (),
    ) -> tuple[Report, Kept]:
        nonce = self.ledger.verification.new_nonce()
        shown = (*self._shown(member), *extra)
        raw = change(self.bureau.show(number, nonce, shown).to_bytes())
        asker = consumer or str(self.ledger.holdings.get(number).consumer)
        verified = self.ledger.verification.accept(raw, asker, nonce)
        ending.entries += 1
        if verified.use is not None:
            ending.gas += verified.use.gas
            ending.entries += 1
        return verified.report, Kept(raw, verified.facts, asker, nonce)

    def _shown(self, member: Member) -> tuple[str, ...]:
        rules = {field.name: field.rule for field in self._scenarios[member.scenario].fields}
        return tuple(name for name in self.granted(member) if rules[name]["op"] not in _TELLING)

    def _withdrawn(self, member: Member, ending: Ending, _correct: object) -> None:
        draft, signer = self.ledger.withdrawals.draft(first_consent(member)), self.bureau.signer_of(member.party)
        act = None if draft.message is None else sign_act(draft.message, signer)
        self.ledger.withdrawals.withdraw(sign_entry(draft.entry, signer), act)
        ending.entries += 1
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("使用前撤回授权 withdrawn before use", "8 status", report))

    def _withdrawn_alone(self, member: Member, ending: Ending, _correct: object) -> None:
        key = self.ledger.custody.private_key(self.ledger.parties.get(member.party).account)
        payer = self.ledger.custody.private_key(self.ledger.client.account)
        bundle = self.ledger.bundles.build(member.certificate)
        withdraw_by_itself(bundle, self.ledger.reader.connection.url, key, payer=payer)
        report, _ = self._accept(member, ending, member.certificate)
        case = "主体自行上链撤回 withdrawn on the chain by the subject itself"
        ending.caught.append(caught(case, "11 authorization", report))

    def _revoked(self, member: Member, ending: Ending, _correct: object) -> None:
        self.ledger.status.revoke(member.certificate, "data_error")
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("已撤销 revoked, with a reason", "8 status", report))

    def _corrected(self, member: Member, ending: Ending, correct: Callable[[Member], str]) -> None:
        successor = correct(member)
        # The withdrawal of the old provision, the new one, the new certificate.
        ending.entries += 3
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("更正前的旧凭证 superseded by a correction", "8 status", report))
        self._use(member, ending, successor)

    def _expired(self, member: Member, ending: Ending, _correct: object) -> None:
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("已过期 expired", "7 validity", report))

    def _used_twice(self, member: Member, ending: Ending, _correct: object) -> None:
        self._use(member, ending, member.certificate)
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("一次凭证用两次 used twice", "9 uses", report))

    def _wrong_consumer(self, member: Member, ending: Ending, _correct: object) -> None:
        report, _ = self._accept(member, ending, member.certificate, consumer=self._other)
        ending.caught.append(caught("由别的使用方核验 verified by another consumer", "10 party", report))
        self._use(member, ending, member.certificate)

    def _altered(self, member: Member, ending: Ending, _correct: object) -> None:
        report, _ = self._accept(member, ending, member.certificate, change=_with_nine_uses)
        ending.caught.append(caught("改动一个字节 altered by one byte", "2 signature", report))
        self._use(member, ending, member.certificate)

    def _outside(self, member: Member, ending: Ending, _correct: object) -> None:
        case = "要求授权外字段（签发端）field outside the authorization, asked of the platform"
        try:
            self.ledger.bundles.build(member.certificate, (*self.granted(member), self._left_out(member)))
            ending.caught.append(Caught(case, "–", "VALID", "service"))
        except Forbidden as refusal:
            ending.caught.append(Caught(case, "service", refusal.code, "service"))
        self._use(member, ending, member.certificate)

    def _crooked(self, member: Member, ending: Ending, _correct: object) -> None:
        field = self._left_out(member)
        crooked = issue_crooked(self.ledger, member.certificate, lambda hidden: [*hidden, _claim(field, _MADE_UP)])
        case = "平台违规签发授权外字段 issued by a platform that breaks its own rule"
        self._lie(member, ending, crooked, case, (field,))

    def _altered_claim(self, member: Member, ending: Ending, _correct: object) -> None:
        """The source said how much was paid on time; the platform certifies that all was."""
        crooked = issue_crooked(self.ledger, member.certificate, _all_on_time)
        self._lie(member, ending, crooked, "平台改动字段的值 a claim altered by the platform")

    def _held(self, member: Member, ending: Ending, _correct: object) -> None:
        """One supervisor holds the certificate at once; it takes two of them to lift the hold."""
        (first, second), proposals = self._supervisors, self.ledger.proposals
        self.ledger.holds.hold(member.certificate, "investigation", first)
        report, _ = self._accept(member, ending, member.certificate)
        ending.caught.append(caught("监管方中止使用 held by a supervisor", "8 status", report))
        held = self.ledger.holdings.get(member.certificate), self.ledger.requests.get(member.request)
        lift = proposals.propose(first, calls.lift("supervisor", [row.digest for row in held]))
        case = "一个监管方自行恢复 the hold lifted by one supervisor alone"
        ending.caught.append(refused_by_contract(case, lambda: proposals.confirm(lift.no, first)))
        proposals.confirm(lift.no, second)
        self._use(member, ending, member.certificate)

    def _lie(self, member: Member, ending: Ending, crooked: str, case: str, extra: tuple[str, ...] = ()) -> None:
        ending.entries += 1
        report, _ = self._accept(member, ending, crooked, extra=extra)
        ending.caught.append(caught(case, "11 authorization", report))
        self._use(member, ending, member.certificate)

    def _left_out(self, member: Member) -> str:
        return self._scenarios[member.scenario].fields[-1].name


def issue_crooked(ledger: Ledger, number: str, change: Callable[[Sequence[Disclosed]], Sequence[Disclosed]]) -> str:
    """What a lying platform would do: anchor a certificate whose claims are others than its provider signed."""
    now = ledger.clock()
    with ledger.database.write() as session:
        row = certificate(session, number)
        payload = log_store.certificate_statement(session, number)
        opened = ledger.sealer.open(session, str(row.sealed_id))
        hidden = change([Disclosed.decode(item) for item in opened]) if isinstance(opened, list) else ()
        region, scenario = number.split("-")[1], payload["scenario"]
        forged = payload | {
            "certificate_no": next_number(session, region, scenario, now),
            "fields": [item.name for item in hidden],
        }
        made = add_certificate(
            session,
            ledger.sealer,
            lambda seq: disclose(forged | {"seq": seq}, hidden, payload["_sd_alg"]),
            now,
            hidden=hidden,
        )
    ledger.anchoring.flush()
    return made.certificate_no


def _all_on_time(hidden: Sequence[Disclosed]) -> Sequence[Disclosed]:
    return [_claim(item.name, 100) if item.name == "on_time_percent" else item for item in hidden]


def _claim(name: str, value: object) -> Disclosed:
    return Disclosed(encode_base64url(secrets.token_bytes(SALT_BYTES)), name, value)


def first_consent(member: Member) -> str:
    """The id of the member's first authorization."""
    return next(iter(member.authorizations.values()))


def swapped_subjects(bureau: Bureau, member: Member, other: Member) -> list[Caught]:
    """The platform lies to a provider about whom its data would be of, and is refused before a row is read."""
    provisions = bureau.ledger.provisions
    task = replace(provisions.task(first_consent(member)), corrects=None)
    foreign = replace(task, opening=provisions.task(first_consent(other)).opening)
    return [
        _refused(bureau, foreign, "平台调换主体 the data of another subject"),
        _refused(bureau, under_second_id(task), "同一主体的第二个编号 a second id for the same subject"),
    ]


def _refused(bureau: Bureau, task: Task, case: str) -> Caught:
    provider = bureau.provider(task.authorization["provider"])
    try:
        provider.answer(task, Given(NoData(task.authorization["iat"])))
    except PingzhengError as refusal:
        return Caught(case, "provider", refusal.code, "provider")
    return Caught(case, "–", "ANSWERED", "provider")


def under_second_id(task: Task) -> Task:
    """The same consent as if another party, whom the platform made up, had given it about the same identifier."""
    opening = replace(task.opening, key=secrets.token_hex(32))
    consumer, subject = (LocalSigner(key, account_of(key)) for key in (new_private_key(), new_private_key()))
    request = sign_entry(_unsigned(task.request) | {"subject": opening.party}, consumer)
    members = {"subject": opening.party, "request": reference(statement_digest(request))}
    authorization = sign_entry(_unsigned(task.authorization) | members, subject)
    keys = {signer.kid: public_jwk(signer.public_key) for signer in (consumer, subject)}
    return replace(task, request=request, authorization=authorization, keys=keys, opening=opening)


def _unsigned(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "signature"}


def late(bureau: Bureau, member: Member) -> Caught:
    """The subject wants to sign after the request's deadline."""
    case = "过期后才授权 authorised after the request had expired"
    try:
        bureau.agree([member.request])
    except Conflict as refusal:
        return Caught(case, "service", refusal.code, "service")
    return Caught(case, "–", "AUTHORISED", "service")


def refused_by_contract(case: str, act: Callable[[], object]) -> Caught:
    """What the contracts say to an act that must not take effect."""
    try:
        act()
    except (Conflict, Forbidden, ChainRejected) as refusal:
        return Caught(case, "contract", refusal.code, "contract")
    return Caught(case, "–", "TOOK_EFFECT", "contract")


def caught(case: str, expected: str, report: Report) -> Caught:
    """What the report says of a case that must fail."""
    failed = report.first_failure
    if failed is None:
        return Caught(case, "–", "VALID", expected)
    return Caught(case, f"{failed.number} {failed.name}", failed.code, expected)


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
    Fate.WITHDRAWN: Desk._withdrawn,
    Fate.WITHDRAWN_ALONE: Desk._withdrawn_alone,
    Fate.REVOKED: Desk._revoked,
    Fate.CORRECTED: Desk._corrected,
    Fate.EXPIRED: Desk._expired,
    Fate.USED_TWICE: Desk._used_twice,
    Fate.WRONG_CONSUMER: Desk._wrong_consumer,
    Fate.ALTERED: Desk._altered,
    Fate.OUTSIDE: Desk._outside,
    Fate.CROOKED: Desk._crooked,
    Fate.ALTERED_CLAIM: Desk._altered_claim,
    Fate.HELD: Desk._held,
}
