"""In every document, links lead to existing places, translations have the same content, and the commands exist and are
tested.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from scripts.commands import PAGE, commands
from tests.docs.documents import CHINESE, blocks, name_of, pages, translations
from tests.docs.documents import commands as run_in
from tests.support.places import PROJECT

PAGES: Final = pages()
# For each page, the test that runs its commands. A translated page has the same commands, so it is not listed.
RUN_BY: Final = {
    "CONTRIBUTING.md": "tests/docs/test_contributing.py",
    "README.md": "tests/docs/test_readme.py",
    "docs/catalogue.md": "tests/docs/test_guides.py",
    "docs/guides/adding-a-scenario.md": "tests/docs/test_scenario_guide.py",
    "docs/guides/certificates.md": "tests/docs/test_guides.py",
    "docs/guides/fifty-firms.md": "tests/docs/test_guides.py",
    "docs/guides/joining.md": "tests/docs/test_joining_guide.py",
    "docs/guides/keys.md": "tests/docs/test_keys_guide.py",
    "docs/guides/operating.md": "tests/docs/test_operating_guide.py",
    "docs/guides/registration.md": "tests/docs/test_guides.py",
    "docs/guides/sealing.md": "tests/docs/test_guides.py",
    "docs/guides/sources.md": "tests/provider/test_no_rows.py",
    "docs/scenarios.md": "tests/cli/rulebooks/test_scenarios.py",
    "docs/tutorial.md": "tests/docs/test_guides.py",
}
# Commands of one word that are on none of the pages above; for each, the test that runs it. Tests of longer commands
# are not listed: they are found by searching the tests for the words of the command.
RUN_ELSEWHERE: Final = {
    "demo": "tests/support/machine/demonstration.py",
    "doctor": "tests/cli/installation/test_recovery.py",
    "enrol": "tests/cli/parties/test_login.py",
    "try": "tests/cli/installation/test_trial.py",
}
COMMANDS: Final = commands()
GENERATED: Final = {name_of(PAGE), "docs/demo.md", "docs/gas.md", "docs/configuration.md", "docs/python.md"}
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")
HOST: Final = re.compile(r"https?://([^/\s:`'\")，。]+)")
# Host names that a page may show: reserved example names, and the reader's own machine.
HOSTS: Final = {"127.0.0.1", "node", "platform.example", "bank.example", "pingzheng.example"}
SHOWN: Final = re.compile(r"pingzheng ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
OPTION: Final = re.compile(r"(?<![\w-])--[a-z][a-z-]*")


def anchors(page: Path) -> set[str]:
    """Return the link anchors that GitHub makes from a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_of_a_page_leads_to_an_existing_file_or_heading(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        target, _, anchor = link.partition("#")
        place = page.parent / target if target else page
        assert place.exists(), link
        assert not anchor or anchor in anchors(place), link


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_names_no_package_registry_and_no_local_path(page: Path) -> None:
    text = page.read_text("utf-8")
    assert {host.rstrip(".") for host in HOST.findall(text)} <= HOSTS
    assert not re.search(r"(?<![\w.])/(home|root|work|tmp|Users)/", text)


@pytest.mark.parametrize(("page", "original"), list(translations()), ids=lambda page: name_of(page))
def test_a_translated_page_has_the_same_files_and_commands_as_the_original(page: Path, original: Path) -> None:
    assert [each for each in blocks(page) if each.kind != "text"] == [
        each for each in blocks(original) if each.kind != "text"
    ]
    assert f"[中文]({page.name})" in head(original) and f"[English]({original.name})" in head(page)


def head(page: Path) -> list[str]:
    return page.read_text("utf-8").splitlines()[:3]


def test_every_guide_has_a_translation() -> None:
    guides = {page.name for page in (PROJECT / "docs" / "guides").glob("*.md")}
    assert {f"{name.removesuffix('.md')}.zh.md" for name in guides if not name.endswith(CHINESE)} <= guides


def test_each_page_with_commands_has_a_test_that_runs_them() -> None:
    showing = {name_of(page) for page in PAGES if run_in(page) and not page.name.endswith(CHINESE)}
    assert showing == set(RUN_BY)
    for page, test in RUN_BY.items():
        assert Path(page).name in (PROJECT / test).read_text("utf-8"), test


def shown(text: str) -> Iterator[tuple[str, str]]:
    """Yield each command in a text, with what follows it: up to the end of the line or quotation, or up to the next
    command.
    """
    for found in SHOWN.finditer(text):
        words = found[1].split(" ")
        names = (" ".join(words[:count]) for count in range(len(words), 0, -1))
        if name := next((each for each in names if each in COMMANDS), None):
            yield name, re.split(r"[`\n。；]|pingzheng ", text[found.start() + len(f"pingzheng {name}") :])[0]


def first_words() -> set[str]:
    return {name.split(" ")[0] for name in COMMANDS}


# The changelog is not checked, because it also names commands that no longer exist.
@pytest.mark.parametrize("page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=name_of)
def test_every_command_and_option_that_a_page_names_exists(page: Path) -> None:
    """The test also covers commands in sentences, and in code blocks that no test runs."""
    text = page.read_text("utf-8")
    for found in SHOWN.finditer(text):
        assert found[1].split(" ")[0] in first_words() | {"is", "on"}, found[0]
    for name, rest in shown(text):
        known = {option for each in COMMANDS[name].params for option in (*each.opts, *each.secondary_opts)} | {"--help"}
        assert set(OPTION.findall(rest)) <= known, f"{name} {rest}"


def on_a_page(command: str) -> bool:
    pattern = re.compile(rf"pingzheng {re.escape(command)}(?![\w-])".replace(r"\ ", r"\s+"))
    return any(
        pattern.search(page.read_text("utf-8"))
        for page in PAGES
        if name_of(page) not in GENERATED and page.name != "CHANGELOG.md" and not page.name.endswith(CHINESE)
    )


def in_a_test(command: str) -> bool:
    """Return whether a test passes the words of this command one after the other as arguments. A command of one word
    would be found by chance, so the result for it is False.
    """
    words = r'",\s*"'.join(map(re.escape, command.split(" ")))
    return " " in command and re.search(rf'"{words}"', sources_of_tests()) is not None


@cache
def sources_of_tests() -> str:
    return "\n".join(path.read_text("utf-8") for path in sorted((PROJECT / "tests").rglob("test_*.py")))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_shown_in_a_guide_or_run_by_a_test_of_its_own(command: str) -> None:
    """The generated pages do not count as guides, because docs/commands.md shows every command."""
    assert on_a_page(command) or in_a_test(command), "show it in a guide, or test it"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_run_by_a_test(command: str) -> None:
    """Each command must be run by one of these: the test of a page that shows it, a test that has its words, or the
    test that RUN_ELSEWHERE names.
    """
    ran = {name for page in RUN_BY for line in run_in(PROJECT / page) for name, _ in shown(line)}
    if command in ran or " " in command:
        assert command not in RUN_ELSEWHERE
        assert command in ran or in_a_test(command), "no test has the words of this command"
    else:
        assert command in RUN_ELSEWHERE, "RUN_ELSEWHERE: which test runs it?"
        assert f'"{command}"' in (PROJECT / RUN_ELSEWHERE[command]).read_text("utf-8")


def test_a_shell_can_parse_each_command_line_of_a_page() -> None:
    for page in PAGES:
        for line in run_in(page):
            assert shlex.split(line, comments=True), line


def test_every_decision_record_has_a_date_and_a_status_and_is_listed() -> None:
    index = (PROJECT / "docs" / "README.md").read_text("utf-8")
    for page in sorted((PROJECT / "docs" / "adr").glob("*.md")):
        assert re.search(
            r"^Date: 20\d\d-\d\d-\d\d\. Status: (accepted|superseded)", page.read_text("utf-8"), re.MULTILINE
        )
        assert f"](adr/{page.name})" in index


@pytest.mark.parametrize("page", sorted((PROJECT / "docs" / "adr").glob("*.md")), ids=lambda page: page.stem)
def test_a_decision_record_gives_the_reason_and_the_alternatives_and_the_place_in_the_code(page: Path) -> None:
    text = page.read_text("utf-8")
    assert {"Decision", "Why", "Considered", "In the code"} <= set(
        re.findall(r"^\*\*([^*]+)\.\*\*", text, re.MULTILINE)
    )
    places = re.findall(r"`([^`]+)`", text.partition("**In the code.**")[2])
    assert places and all((PROJECT / place).is_file() for place in places), places


def test_the_changelog_has_sections_for_the_four_kinds_of_change() -> None:
    text = (PROJECT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^### (\w+)$", text, re.MULTILINE)[:4] == ["Added", "Changed", "Fixed", "Security"]
