"""A provider's task for one authorization, with all log entries that the provider needs to check the task itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from ledger.domain.canonical import canonical, parse_json
from ledger.domain.digests import reference
from ledger.domain.entries import statement_digest
from ledger.domain.parties import PartyKind, party_id
from ledger.domain.rules.predicates import columns_of
from ledger.domain.rules.rule_members import Rule
from ledger.errors import BadBundle
from ledger.proof.bundle import ChainId, parse_chain
from ledger.proof.jws import Jwk
from ledger.provider.reading import ACCOUNT, HEX32, REFERENCE, Reading

FORMAT: Final = "pingzheng-task/1"
LIST_FORMAT: Final = "pingzheng-tasks/1"
MAX_TASK_BYTES: Final = 256 * 1024
MAX_LIST_BYTES: Final = 64 * 1024 * 1024
MAX_TASKS: Final = 1_000
MAX_NOTICES: Final = 10_000
MAX_DEPTH: Final = 16
# The maximum number of characters of an identifier. A resident ID number or USCC has 18; identifiers of other registers
# may be longer.
MAX_IDENTIFIER: Final = 64
# The maximum number of keys in a task: one key of the consumer and one key of the subject.
MAX_KEYS: Final = 2
_ENTRIES: Final = ("template", "request", "authorization")
_MEMBERS: Final = ("format", "chain", *_ENTRIES, "keys", "opening", "corrects")
_READ: Final = Reading("TASK_FORM", "Ask the platform for the task again.")

Entry = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Opening:
    """The values from which a party id is computed (protocol §1); they show who the party is.

    ``key`` is 64 hex digits. Identifier and key are left out of ``repr()``.
    """

    kind: PartyKind
    identifier: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def party(self) -> str:
        """The party id that is computed from these values."""
        return party_id(bytes.fromhex(self.key), self.kind, self.identifier)

    def to_dict(self) -> dict[str, str]:
        """Return these values as a JSON value."""
        return {"kind": self.kind.value, "identifier": self.identifier, "key": self.key}


@dataclass(frozen=True)
class Task:
    """An authorization with its request and template. Only the form of a task is checked here; ``check_task`` checks
    the content.

    ``keys`` are the public keys of the accounts that signed. ``corrects`` names the provision that the answer would
    replace, None if there is no earlier answer.
    """

    chain: ChainId
    template: Entry
    request: Entry
    authorization: Entry
    keys: Mapping[str, Jwk]
    opening: Opening
    corrects: str | None

    @cached_property
    def digest(self) -> str:
        """The statement digest of the authorization, 64 hex digits."""
        return statement_digest(self.authorization)

    @property
    def reference(self) -> str:
        """The text with which a provision refers to the authorization."""
        return reference(self.digest)

    @property
    def subject(self) -> str:
        """The party id of the subject whose data is authorised."""
        return str(self.authorization["subject"])

    @property
    def rules(self) -> dict[str, Rule]:
        """The rule of each authorised claim, in the template's order."""
        wanted = set(self.authorization["fields"])
        return {item["name"]: item["rule"] for item in self.template["fields"] if item["name"] in wanted}

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rules read; the source is asked for no other columns."""
        return tuple(dict.fromkeys(column for rule in self.rules.values() for column in columns_of(rule)))

    @property
    def needs_name(self) -> bool:
        """Whether a claim is the subject's name; if so, the source must supply the name."""
        return any(rule["op"] == "attribute" and rule["of"] == "name" for rule in self.rules.values())

    def to_dict(self) -> dict[str, Any]:
        """Return the task as a JSON value."""
        return {
            "format": FORMAT,
            "chain": self.chain.to_dict(),
            "template": self.template,
            "request": self.request,
            "authorization": self.authorization,
            "keys": {account: key.to_dict() for account, key in self.keys.items()},
            "opening": self.opening.to_dict(),
            "corrects": self.corrects,
        }


@dataclass(frozen=True, slots=True)
class TaskList:
    """A file of tasks for an offline provider, with the erasures (log entries) that the provider must carry out."""

    tasks: tuple[Task, ...]
    erasures: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """Return the content of the file, canonical JSON. The file contains identifiers of subjects."""
        content = {
            "format": LIST_FORMAT,
            "tasks": [task.to_dict() for task in self.tasks],
            "erasures": list(self.erasures),
        }
        return canonical(content) + b"\n"


def parse_tasks(raw: bytes) -> TaskList:
    """Return the tasks in a file's bytes; raises ``InvalidInput`` ``JSON_…`` or ``TASK_FORM`` with the wrong member."""
    parsed = parse_json(raw, max_bytes=MAX_LIST_BYTES, max_depth=MAX_DEPTH + 2)
    members = _READ.members(parsed, "tasks", "format", "tasks", "erasures")
    if members["format"] != LIST_FORMAT:
        raise _READ.bad("format", f"Only {LIST_FORMAT} is supported.")
    tasks = _READ.each(members["tasks"], "tasks", MAX_TASKS, task_of)
    return TaskList(tasks, _READ.each(members["erasures"], "erasures", MAX_NOTICES, notice_of))


def parse_task(raw: bytes) -> Task:
    """Return the task in these bytes; raises the errors of ``parse_tasks``."""
    return task_of(parse_json(raw, max_bytes=MAX_TASK_BYTES, max_depth=MAX_DEPTH))


def task_of(raw: Any, where: str = "task") -> Task:
    """Return the task from a JSON value; raises ``InvalidInput`` ``TASK_FORM`` and the errors of ``validate_entry``."""
    members = _READ.members(raw, where, *_MEMBERS)
    if members["format"] != FORMAT:
        raise _READ.bad(f"{where}.format", f"Only {FORMAT} is supported.")
    keys, corrects = members["keys"], members["corrects"]
    if not isinstance(keys, dict) or len(keys) > MAX_KEYS:
        raise _READ.bad(f"{where}.keys", f"An object of at most {MAX_KEYS} keys is expected.")
    try:
        chain = parse_chain(members["chain"], f"{where}.chain")
    except BadBundle as error:
        raise _READ.bad(error.where or where, error.message) from error
    entries = {kind: _READ.entry(members[kind], kind, f"{where}.{kind}") for kind in _ENTRIES}
    return Task(
        chain=chain,
        **entries,
        keys={_READ.matching(account, ACCOUNT, f"{where}.keys"): Jwk.from_dict(key) for account, key in keys.items()},
        opening=_opening(members["opening"], f"{where}.opening"),
        corrects=None if corrects is None else _READ.matching(corrects, REFERENCE, f"{where}.corrects"),
    )


def notice_of(raw: Any, where: str = "erasure") -> Entry:
    """Return an erasure (a log entry) from a JSON value; raises the errors of ``task_of``."""
    return _READ.entry(raw, "erasure", where)


def _opening(raw: Any, where: str) -> Opening:
    members = _READ.members(raw, where, "kind", "identifier", "key")
    identifier = _READ.text(members["identifier"], f"{where}.identifier", MAX_IDENTIFIER)
    if members["kind"] not in [kind.value for kind in PartyKind]:
        raise _READ.bad(f"{where}.kind", "A kind of party is expected.")
    return Opening(PartyKind(members["kind"]), identifier, _READ.matching(members["key"], HEX32, f"{where}.key"))
