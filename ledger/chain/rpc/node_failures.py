"""Turns the failures of a node into errors of ``ledger.errors``.

An error contains the node's address, without the parts that may be secret. It quotes the node only if the node refused
a call with a JSON-RPC error, and then only the beginning of the node's message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.chain.rpc.journal_failure import refused_by_journal
from ledger.chain.rpc.transport import Answer
from ledger.errors import ChainUnavailable, Misconfigured, PingzhengError

MAX_RETRY_SECONDS: Final = 3600
_RETRY_SECONDS: Final = 5
_MAX_REASON: Final = 200
_HINT: Final = "Start the node (the local one runs while `pingzheng serve` runs), or check the configured address."
_ANOTHER_NODE: Final = "Check that the address belongs to a node of the chain, or ask another node."
_DENIED: Final = frozenset({401, 403, 407})
_TOO_LARGE: Final = 413
_TOO_OFTEN: Final = 429
_OFTEN_WORDS: Final = ("too many requests", "rate limit", "request rate", "requests per second", "units per second")


class RpcFault(Exception):
    """The node answered with an error.

    ``data`` is the return data of a reverted call. Never raised outside this package.
    """

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        message = _short(error.get("message", ""))
        super().__init__(f"{method}: {message}")
        self.method = method
        self.message = message
        self.code = error.get("code")
        self.data = _revert_data(error.get("data"))

    @property
    def reverted(self) -> bool:
        """Whether a contract refused the call."""
        return bool(self.data) or "revert" in self.message.lower()


class TooMuch(Exception):
    """The request is too large for the node, or its answer is larger than the limit.

    ``batched``: the request contained several calls. Never raised outside this package.
    """

    def __init__(self, reason: str, *, batched: bool) -> None:
        super().__init__(reason)
        self.batched = batched


class NodeFailures:
    """Makes the errors about one node; ``where`` is its address for display."""

    def __init__(self, where: str) -> None:
        self._where = where

    def numbered(self, method: str, answer: Any, number: int) -> dict[str, Any]:
        """Return the answer if it has the number of the call. An answer that is an error is also returned if it has no
        number.
        """
        if not isinstance(answer, dict):
            raise self.invalid(method, "an object is expected")
        if answer.get("error") is None and (type(answer.get("id")) is not int or answer["id"] != number):
            raise self.invalid(method, "the answer to the call's own number is expected")
        return answer

    def result(self, method: str, answer: dict[str, Any]) -> Any:
        """Return the result in an answer; raise RpcFault if the answer is an error."""
        if (error := answer.get("error")) is not None:
            raise self._fault(method, error)
        if "result" not in answer:
            raise self.invalid(method, "a result is expected")
        return answer["result"]

    def in_order(self, answers: Any, numbers: Sequence[int]) -> list[Any]:
        """Return the answers to a batch in the order of the calls. The node must have sent exactly one answer to each
        call.
        """
        if isinstance(answers, dict) and answers.get("error") is not None:
            fault = self._fault("batch", answers["error"])
            raise TooMuch(fault.message, batched=True) from fault
        if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
            raise self.invalid("batch", "a list of objects is expected")
        found = {answer["id"]: answer for answer in answers if type(answer.get("id")) is int}
        if len(answers) != len(numbers) or found.keys() != set(numbers):
            raise self.invalid("batch", "one answer to each call is expected")
        return [found[number] for number in numbers]

    def check_status(self, method: str, answer: Answer, parsed: Any) -> None:
        """Raise an error if the HTTP status is not 200 to 299, unless the body (``parsed``) is a JSON-RPC error."""
        status = answer.status
        if 200 <= status < 300:
            return
        if status in _DENIED:
            raise ChainUnavailable(
                "NODE_ACCESS_DENIED",
                "The node denies access to this program.",
                where=self._where,
                hint="Check the user, password or key in the node's address, and that the node allows this call.",
                call=method,
                status=status,
            )
        if status == _TOO_OFTEN:
            raise self._rate_limited(method, _retry_after(answer.headers) or _RETRY_SECONDS)
        if status == _TOO_LARGE:
            raise TooMuch("the request is too large", batched=method == "batch")
        if 300 <= status < 400:
            raise self.invalid(method, "an answer is expected, not another address")
        if isinstance(parsed, dict) and isinstance(parsed.get("error"), dict):
            return
        later = _retry_after(answer.headers)
        raise self.silent(method, f"http {status}", **({} if later is None else {"retry_after": later}))

    def of_transport(self, method: str, reason: str, *, batched: bool) -> Exception:
        """Return the error to raise if a request got no answer."""
        if reason == "too large":
            return TooMuch("the answer is too large", batched=batched)
        if reason in {"encoding", "cut short", "no http"}:
            return self.invalid(method, "a whole HTTP answer is expected")
        return self.silent(method, reason)

    def silent(self, method: str, reason: str, **details: Any) -> ChainUnavailable:
        """Return the error to raise if a node does not answer; ``reason`` is a word for programs, such as
        ``timeout``.
        """
        facts = {"call": method, "reason": reason, **details}
        return ChainUnavailable("CHAIN_UNREACHABLE", "No node answers.", where=self._where, hint=_HINT, **facts)

    def invalid(self, method: str, expected: str) -> ChainUnavailable:
        """Return the error to raise if an answer has the wrong form; ``expected`` describes the right form."""
        return ChainUnavailable(
            "NODE_ANSWER_INVALID",
            "The node's answer does not have the form that belongs to this call.",
            where=self._where,
            hint=_ANOTHER_NODE,
            call=method,
            reason=expected,
        )

    def too_much(self, method: str, refusal: TooMuch) -> ChainUnavailable:
        """Return the error to raise if the node refuses a call as too large even when the call is sent alone."""
        if not refusal.batched:
            return self.invalid(method, str(refusal))
        return self._refusal(method, _short(str(refusal)))

    def refused(self, fault: RpcFault) -> ChainUnavailable:
        """Return the error to raise if the node refuses a call that a healthy node never refuses."""
        return self._refusal(fault.method, fault.message)

    def _refusal(self, method: str, reason: str) -> ChainUnavailable:
        return ChainUnavailable(
            "NODE_REFUSED",
            f"The node refused {method}.",
            where=self._where,
            hint="Check that the node is in sync and offers this call.",
            reason=reason,
        )

    def address(self) -> Misconfigured:
        """Return the error to raise if no request can be sent to the node's address."""
        return Misconfigured(
            "RPC_URL_INVALID",
            "The node's address is not an HTTP address.",
            where="rpc_url",
            hint="Write it as http://host:port or https://host/path.",
        )

    def _fault(self, method: str, error: Any) -> RpcFault:
        """Return the error in a node's answer as RpcFault. If the node says that its disk is full, or that there were
        too many calls, raise the error for that case.
        """
        fields = dict(error) if isinstance(error, dict) else {"message": error}
        data = fields.get("data")
        if isinstance(data, Mapping) and "errno" in data:
            failure: PingzhengError | None = refused_by_journal(fields, self._where)
            if failure is not None:
                raise failure
        fault = RpcFault(method, fields)
        if fault.code == _TOO_OFTEN or any(words in fault.message.lower() for words in _OFTEN_WORDS):
            raise self._rate_limited(method, _RETRY_SECONDS)
        return fault

    def _rate_limited(self, method: str, seconds: int) -> ChainUnavailable:
        return ChainUnavailable(
            "NODE_RATE_LIMITED",
            "The node accepts no more calls for now.",
            where=self._where,
            hint="Try again later, or use your own node.",
            call=method,
            retry_after=seconds,
        )


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Return the seconds in the ``Retry-After`` header, or None if the header is missing or contains a date."""
    raw = headers.get("retry-after", "").strip()
    if not raw.isascii() or not raw.isdigit() or len(raw) > len(str(MAX_RETRY_SECONDS)):
        return None
    return min(max(int(raw), 1), MAX_RETRY_SECONDS)


def _short(words: Any) -> str:
    """Return the beginning of a node's message, on one line."""
    printable = "".join(letter if letter.isprintable() else " " for letter in str(words)[: 4 * _MAX_REASON])
    return " ".join(printable.split())[:_MAX_REASON]


def _revert_data(data: Any) -> bytes:
    """Return the return data of a revert. Nodes send them as a string, or in an object under ``data`` or ``result``."""
    if isinstance(data, dict):
        data = data.get("data") or data.get("result")
    if not isinstance(data, str):
        return b""
    try:
        return bytes.fromhex(data.removeprefix("Reverted ").strip().removeprefix("0x"))
    except ValueError:
        return b""
