"""Checks that a provider makes before it asks its source, so that the platform cannot invent or change a consent.

Only the chain shows to whom the accounts that signed belong; ``registry`` checks this.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ledger.chain.accounts import account_of_public_key
from ledger.domain.days import DAY
from ledger.domain.definitions.scenario import PERSONS
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.domain.rules.predicates import ENGINE, OPS, check_rule
from ledger.errors import BadBundle, Conflict, Forbidden, InvalidInput, Misconfigured
from ledger.proof.jws import entry_signature
from ledger.provider.task import Task

# Members that must be equal in the request and in the authorization.
_REPEATED: Final = ("scenario", "scenario_version", "subject", "consumer", "channel")
_HINT: Final = "Do not answer. Report the task to the operator of the platform."


def check_task(task: Task, provider: str, at: int) -> None:
    """Raise an error unless ``provider`` may answer this task at ``at`` (seconds UTC).

    ``InvalidInput`` ``LEDGER_DIFFERS``, ``TASK_DIFFERS``, ``RULE_INVALID``, ``RULE_OUTSIDE_MODE``;
    ``Misconfigured`` ``ENGINE_UNSUPPORTED``, ``SUITE_NOT_INSTALLED``; ``Forbidden`` ``SIGNER_NOT_CONSUMER``,
    ``SIGNER_NOT_SUBJECT``, ``SUBJECT_OPENING_DIFFERS``, ``PROVIDER_NOT_AUTHORIZED``, ``AUTHORIZATION_BEYOND_REQUEST``,
    ``FIELD_OUTSIDE_REQUEST``, ``SEPARATE_CONSENT_MISSING``; ``Conflict`` ``AUTHORIZATION_NOT_ACTIVE``.
    """
    _one_ledger(task)
    _opening(task)
    _template(task)
    _signed(task, task.request, "SIGNER_NOT_CONSUMER", "consumer")
    _signed(task, task.authorization, "SIGNER_NOT_SUBJECT", "subject")
    _request(task)
    _authorization(task, provider)
    _rules(task)
    if at >= task.authorization["valid_to"]:
        raise Conflict(
            "AUTHORIZATION_NOT_ACTIVE",
            "The authorization has expired.",
            where=f"authorization {task.authorization['id']}",
            hint="Ask the subject for a new authorization.",
        )


def _one_ledger(task: Task) -> None:
    ledger = task.chain.ledger
    for entry in (task.template, task.request, task.authorization):
        if entry["ledger"] != ledger:
            raise InvalidInput(
                "LEDGER_DIFFERS",
                f"The {entry['type']} was made for another ledger than that of the task.",
                where=entry["type"],
                hint=_HINT,
            )


def _opening(task: Task) -> None:
    """Check that the identifier belongs to the subject's party id.

    Otherwise the platform could have one person's data signed as another person's.
    """
    if task.opening.party != task.subject:
        raise Forbidden(
            "SUBJECT_OPENING_DIFFERS",
            "The identifier from the platform does not belong to the subject of the authorization.",
            where=f"authorization {task.authorization['id']}",
            hint=_HINT,
        )


def _template(task: Task) -> None:
    template = task.template
    if reference(statement_digest(template)) != task.request["template"]:
        raise _differs("template", "The consumer's request names another template.")
    if template["engine"] != ENGINE:
        raise Misconfigured(
            "ENGINE_UNSUPPORTED",
            f"The rules need engine {template['engine']}; this program has engine {ENGINE}.",
            where="template",
            hint="Install the same version of pingzheng as the platform.",
        )


def _signed(task: Task, entry: Mapping[str, Any], code: str, part: str) -> None:
    """Check that a key in the task made the signature. ``registry`` checks on the chain who owns the key's account."""
    try:
        signature = entry_signature(entry)
        key = task.keys.get(signature.kid)
        good = (
            key is not None
            and account_of_public_key(key.compressed) == signature.kid
            and signature.signed_by(key.compressed)
        )
    except BadBundle:
        good = False
    if not good:
        raise Forbidden(code, f"The {entry['type']} is not signed by a key of the {part}.", where=part, hint=_HINT)


def _request(task: Task) -> None:
    template, request = task.template, task.request
    for member in ("scenario", "scenario_version"):
        if request[member] != template[member]:
            raise _differs(member, "The request has another scenario than its template.")
    if request["channel"] not in template["channels"] or request["max_uses"] > template["max_uses"]:
        raise _differs("request", "The request exceeds its template.")


def _authorization(task: Task, provider: str) -> None:
    """Check that the authorization refers to this request, allows no more than the request, and names this provider."""
    template, request, entry = task.template, task.request, task.authorization
    if entry["request"] != reference(statement_digest(request)):
        raise _differs("authorization", "The subject authorised another request.")
    beyond = [member for member in _REPEATED if entry[member] != request[member]]
    beyond += ["provider"] if {name: entry[name] for name in ("source", "provider")} not in request["sources"] else []
    beyond += ["max_uses"] if entry["max_uses"] > request["max_uses"] else []
    longest = entry["valid_from"] + template["max_validity_days"] * DAY
    within = request["valid_from"] <= entry["valid_from"] and entry["valid_to"] <= min(request["valid_to"], longest)
    beyond += [] if within else ["valid_to"]
    beyond += ["iat"] if entry["iat"] >= request["expires_at"] else []
    if beyond:
        raise Forbidden(
            "AUTHORIZATION_BEYOND_REQUEST",
            f"The authorization exceeds the request in: {', '.join(beyond)}.",
            where=f"authorization {entry['id']}",
            hint=_HINT,
        )
    if outside := sorted(set(entry["fields"]) - set(request["fields"])):
        raise Forbidden(
            "FIELD_OUTSIDE_REQUEST", f"The consumer did not request: {', '.join(outside)}.", where="fields", hint=_HINT
        )
    if template["legal_basis"] == "separate_consent" and not entry["separate_consent"]:
        raise Forbidden("SEPARATE_CONSENT_MISSING", "The person did not give a separate consent.", hint=_HINT)
    if entry["provider"] != provider:
        raise Forbidden("PROVIDER_NOT_AUTHORIZED", "The authorization names another provider.", where="provider")


def _rules(task: Task) -> None:
    """Check that each authorised claim has a valid rule for this source, and that the payload mode allows the rule."""
    sources = {item["name"]: item["source"] for item in task.template["fields"]}
    for name in task.authorization["fields"]:
        if sources.get(name) != task.authorization["source"]:
            raise _differs(name, "The template has no claim with this name from this source.")
    for name, rule in task.rules.items():
        check_rule(rule, name)
        if task.template["payload_mode"] not in OPS[rule["op"]].modes:
            raise InvalidInput(
                "RULE_OUTSIDE_MODE", "The rule reveals more than the payload mode allows.", where=name, hint=_HINT
            )
        if rule["op"] == "attribute" and task.opening.kind in PERSONS:
            raise InvalidInput("RULE_OUTSIDE_MODE", "A claim must not contain a person's name.", where=name, hint=_HINT)


def _differs(where: str, message: str) -> InvalidInput:
    return InvalidInput("TASK_DIFFERS", message, where=where, hint=_HINT)
