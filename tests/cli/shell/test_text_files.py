"""Commands read text files that have a byte order mark or are in UTF-16. If a file cannot be read, the
error names it.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from ledger.cli.main import app
from ledger.cli.shell.files import key_in, private_key_of, read_text
from ledger.cli.shell.passphrases import passphrase_of
from ledger.errors import InvalidInput, Misconfigured
from ledger.parties.custody import new_key
from tests.cli.shell.test_terminal import request_of
from tests.support.bundles.builder import usage
from tests.support.bundles.cast import AT

CASES = Path(__file__).parent / "cases"
WAYS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "UTF-8 with a mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "UTF-16, little end first": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "lines end as in Windows": lambda text: text.replace("\n", "\r\n").encode(),
}
SAVED = pytest.mark.parametrize("save", WAYS.values(), ids=WAYS.keys())


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--json"])


@SAVED
def test_a_valid_bundle_is_valid_in_every_text_encoding(tmp_path: Path, save: Callable[[str], bytes]) -> None:
    made = usage()
    request = request_of(made)
    for name, text in (
        ("bundle", made.bundle.to_bytes().decode()),
        ("facts", made.facts.to_bytes().decode()),
        ("request", request),
    ):
        (tmp_path / f"{name}.json").write_bytes(save(text))
    files: list[str | Path] = [
        tmp_path / "bundle.json",
        "--facts",
        tmp_path / "facts.json",
        "--request",
        tmp_path / "request.json",
    ]
    done = run("verify", *files, "--at", str(AT))
    assert (done.exit_code, json.loads(done.stdout)["result"]) == (0, "valid"), done.stdout


@SAVED
def test_keys_and_passphrases_are_read_in_every_text_encoding(tmp_path: Path, save: Callable[[str], bytes]) -> None:
    key, file = new_key(), tmp_path / "line.txt"
    file.write_bytes(save(key + "\n"))
    assert private_key_of(file).hex() == key == key_in(file)[0].hex()
    file.write_bytes(save("马到成功 correct horse\n"))
    assert passphrase_of(file) == "马到成功 correct horse"


@pytest.mark.parametrize("case", ["bom.json", "u16.json"])
def test_a_bundle_of_protocol_1_is_not_reported_as_forged(case: str, tmp_path: Path) -> None:
    facts = tmp_path / "facts.json"
    facts.write_bytes(usage().facts.to_bytes())
    done = run("verify", CASES / "bundle-bom" / case, "--facts", facts)
    output = json.loads(done.stdout)
    assert done.exit_code in (1, 2)
    assert output.get("result") == "unknown" or "error" in output
    assert "PROTOCOL_UNSUPPORTED" in done.stdout


def test_errors_in_facts_and_requests_name_the_file(tmp_path: Path) -> None:
    bundle, facts = tmp_path / "bundle.json", tmp_path / "facts.json"
    bundle.write_bytes(usage().bundle.to_bytes())
    facts.write_bytes(usage().facts.to_bytes())
    broken = tmp_path / "request.json"
    broken.write_text('{\n "consumer": oops\n}')
    output = json.loads(run("verify", bundle, "--facts", facts, "--request", broken).stdout)
    assert (output["error"], output["where"]) == ("JSON_MALFORMED", f"{broken}, line 2, column 14")
    output = json.loads(run("verify", bundle, "--facts", broken).stdout)
    assert output["where"].startswith(str(broken))


@pytest.mark.parametrize(
    "command",
    [
        ("sign", "{file}", "--key", "{key}"),
        ("wallet", "add", "{file}", "--wallet", "{folder}/w", "--passphrase-file", "{key}"),
        ("provision", "answer", "{file}", "--sources", "{folder}", "--key", "{key}"),
        ("provision", "received", "{file}", "--records", "{folder}"),
        ("consent", "withdraw-direct", "{file}", "--key", "{key}", "--rpc-url", "http://127.0.0.1:9"),
        ("init", "--office", "{file}", "--home", "{folder}/h"),
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_every_command_reports_the_file_that_it_cannot_read(
    tmp_path: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PINGZHENG_RPC_URL", "http://127.0.0.1:9")
    file, key = tmp_path / "broken.json", tmp_path / "key"
    file.write_text('{\n"a": 1,\n}')
    key.write_text(new_key())
    names = {"file": str(file), "key": str(key), "folder": str(tmp_path)}
    done = run(*(part.format(**names) for part in command))
    output = json.loads(done.stdout)
    assert done.exit_code == 2
    assert output["where"].startswith(str(file)), output
    assert "line 3" in output["where"] or not output["error"].startswith("JSON"), output


def test_bytes_that_are_not_text_are_passed_to_the_parser(tmp_path: Path) -> None:
    file = tmp_path / "bytes"
    file.write_bytes(bytes(range(256)))
    assert read_text(file, 256) == bytes(range(256))
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"):
        key_in(file)
    with pytest.raises(InvalidInput, match="PASSPHRASE_MISSING"):
        passphrase_of(file)


def test_a_key_of_a_curve_other_than_secp256k1_is_refused_for_transactions(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("p256:" + "11" * 32)
    with pytest.raises(Misconfigured, match="KEY_FILE_DAMAGED"):
        private_key_of(file)
