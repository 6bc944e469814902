"""Acts of a lying platform, which certifies claims that no provider signed, or names the wrong subject in a task."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from ledger.certificates.lookups import certificate, payload_of
from ledger.certificates.recording import add_certificate, next_number
from ledger.chain.accounts import account_of, new_private_key
from ledger.connectors.answers import NoData
from ledger.demo.actors import Actors
from ledger.demo.data.people import Member
from ledger.demo.tally import Caught
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.errors import PingzhengError
from ledger.installation.wiring import Ledger
from ledger.proof.jws import LocalSigner, encode_base64url, public_jwk, sign_entry
from ledger.proof.sdjwt import SALT_BYTES, Disclosed, disclose
from ledger.provider.manual import Given
from ledger.provider.task import Task


def issue_crooked(ledger: Ledger, number: str, change: Callable[[Sequence[Disclosed]], Sequence[Disclosed]]) -> str:
    """Act as a lying platform: anchor a certificate whose claims differ from those that the provider signed. Return its
    number.
    """
    now = ledger.clock()
    with ledger.database.write() as session:
        row = certificate(session, number)
        payload = payload_of(session, number)
        opened = ledger.certificates.hidden_claims.opened(session, row, payload)
        hidden = change([Disclosed.decode(item) for item in opened])
        region, scenario = number.split("-")[1], payload["scenario"]
        forged = payload | {
            "certificate_no": next_number(session, region, scenario, now),
            "fields": [item.name for item in hidden],
        }
        made = add_certificate(session, lambda seq: disclose(forged | {"seq": seq}, hidden, payload["_sd_alg"]), now)
        copy = ledger.sealer.seal(session, [item.encoded for item in hidden])
        certificate(session, made.certificate_no).sealed_id = copy
    ledger.anchoring.flush()
    return made.certificate_no


def all_on_time(hidden: Sequence[Disclosed]) -> Sequence[Disclosed]:
    """Return the claims with one change: the false claim that everything was paid on time."""
    return [claimed(item.name, 100) if item.name == "on_time_percent" else item for item in hidden]


def claimed(name: str, value: object) -> Disclosed:
    """Return a claim that no provider signed."""
    return Disclosed(encode_base64url(secrets.token_bytes(SALT_BYTES)), name, value)


def swapped_subjects(actors: Actors, member: Member, other: Member) -> list[Caught]:
    """Send a provider two tasks with the wrong subject. The provider must refuse both before it reads a row."""
    provisions = actors.ledger.usage.provisions
    task = replace(provisions.task(member.first_consent), corrects=None)
    foreign = replace(task, opening=provisions.task(other.first_consent).opening)
    _remember(actors, task)
    return [
        _refused(actors, foreign, "平台调换主体 the data of another subject"),
        _refused(actors, under_second_id(task), "同一主体的第二个编号 a second id for the same subject"),
    ]


def _remember(actors: Actors, task: Task) -> None:
    """Make the provider record the subject's identifier and party id, so that it can notice a second id. In a run with
    a new output folder, the provider's records are still empty.
    """
    party = task.authorization["provider"]
    with suppress(PingzhengError):
        supply = actors.provider(party).answer(task, Given(NoData(task.authorization["iat"])))
        # The platform already has an answer to this task, so this second answer is not sent.
        actors.answers(party).refused([(supply.digest, "ALREADY_SUPPLIED")])


def _refused(actors: Actors, task: Task, case: str) -> Caught:
    provider = actors.provider(task.authorization["provider"])
    try:
        provider.answer(task, Given(NoData(task.authorization["iat"])))
    except PingzhengError as refusal:
        return Caught(case, "provider", refusal.code, "provider")
    return Caught(case, "–", "ANSWERED", "provider")


def under_second_id(task: Task) -> Task:
    """Return a copy of the task with the same identifier, but with a consent that the platform invented for another
    party id.
    """
    opening = replace(task.opening, key=secrets.token_hex(32))
    consumer, subject = (LocalSigner(key, account_of(key)) for key in (new_private_key(), new_private_key()))
    request = sign_entry(_unsigned(task.request) | {"subject": opening.party}, consumer)
    members = {"subject": opening.party, "request": reference(statement_digest(request))}
    authorization = sign_entry(_unsigned(task.authorization) | members, subject)
    keys = {signer.kid: public_jwk(signer.public_key) for signer in (consumer, subject)}
    return replace(task, request=request, authorization=authorization, keys=keys, opening=opening)


def _unsigned(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != "signature"}
