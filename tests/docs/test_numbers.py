"""Each number in a guide is the value that the code has, or it needs no check (standard, HTTP status, step, year)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import pytest

from ledger.certificates.verification.verification import LAPSE_SECONDS
from ledger.cli.shell.output import EXIT_NOT_VALID
from ledger.connectors.database import MAX_VALUE_BYTES
from ledger.connectors.files import MAX_CSV_BYTES
from ledger.connectors.spreadsheets.workbook import MAX_DIGITS, MAX_FILLED
from ledger.connectors.spreadsheets.xls_book import MAX_XLS_BYTES
from ledger.connectors.spreadsheets.xlsx_scan import MAX_XLSX_BYTES
from ledger.connectors.table import MAX_CHARACTERS, MAX_ROWS
from ledger.domain.days import DAY
from ledger.domain.powers import DEFAULT_DELAY, MAX_PAUSE, MIN_DELAY, OPEN_FOR, PAUSE_REST, THRESHOLD
from ledger.installation.recovery.restored_log import SERIES_GAP
from ledger.installation.settings import Settings
from ledger.parties.access.sessions import NONCE_SECONDS
from ledger.parties.keys import enrolments
from ledger.privacy.key_rotation import CHUNK
from ledger.proof.checks.usage_certificate import MAX_KEY_BINDING_AGE, MAX_KEY_BINDING_SKEW
from tests.support.places import DOCS

MIB: Final = 1024 * 1024
HOURS: Final = DEFAULT_DELAY // 3600
SESSION: Final = Settings.model_fields["session_seconds"].default // 60
# For each page, the phrases with numbers that it must contain. The numbers are taken from the code.
SAID: Final[Mapping[str, tuple[str, ...]]] = {
    "catalogue.md": (f"after {HOURS} hours", "exit code 2"),
    "catalogue.zh.md": (f"{HOURS} 小时后生效", "退出码 2"),
    "guides/adding-a-scenario.md": (
        f"waits for {HOURS} hours",
        f"after {HOURS} hours",
        "exit code is 2",
        "the 64 digits that",
    ),
    "guides/adding-a-scenario.zh.md": (
        f"等待 {HOURS} 小时",
        f"{HOURS} 小时后生效",
        "退出码为 2",
        "1 至 65535",
        "应为 0",
        "编号共 64 位",
        "显示的 64 位",
    ),
    "guides/certificates.md": (f"exit code is {EXIT_NOT_VALID}",),
    "guides/certificates.zh.md": (f"退出码为 {EXIT_NOT_VALID}",),
    "guides/fifty-firms.md": (f"waits for {HOURS} hours",),
    "guides/fifty-firms.zh.md": (f"等待 {HOURS} 小时",),
    "guides/joining.md": (f"lasts {SESSION} minutes", "after five minutes"),
    "guides/joining.zh.md": (f"会话 {SESSION} 分钟", "五分钟后失效"),
    "guides/keys.md": (
        f"{HOURS} hours by default",
        f"expires {OPEN_FOR // DAY} days after",
        f"below {MIN_DELAY // 3600} hours",
        f"at most {MAX_PAUSE // DAY} days",
        f"after {PAUSE_REST // DAY} days",
        f"lasts {SESSION} minutes",
        f"valid for {enrolments.SECONDS // DAY} days",
    ),
    "guides/keys.zh.md": (
        f"默认 {HOURS} 小时",
        f"到期后 {OPEN_FOR // DAY} 天",
        f"少于 {MIN_DELAY // 3600} 小时",
        "最长七天",
        f"过 {PAUSE_REST // DAY} 天",
        f"会话 {SESSION} 分钟",
        f"有效 {enrolments.SECONDS // DAY} 天",
    ),
    "guides/operating.md": (f"at least {SERIES_GAP:,} numbers", "if key 2 is lost"),
    "guides/operating.zh.md": (f"至少跳过 {SERIES_GAP:,} 个", "若密钥 2 已"),
    "guides/registration.md": (f"wait {HOURS} hours",),
    "guides/registration.zh.md": (f"等待 {HOURS} 小时",),
    "guides/sealing.md": ("64 hex digits", "creates key 2", f"{CHUNK} records in each transaction"),
    "guides/sealing.zh.md": ("64 位十六进制数", "生成密钥 2", f"每个事务 {CHUNK} 条记录"),
    "guides/sources.md": (
        f"at most {MAX_CSV_BYTES // MIB} MiB",
        f"at most {MAX_XLSX_BYTES // MIB} MiB and {MAX_FILLED:,} cells",
        f"more than {MAX_DIGITS} digits",
        "the 15 digits used before",
        f"more than {MAX_VALUE_BYTES // MIB} MiB",
        f"more than {MAX_ROWS:,} rows or {MAX_CHARACTERS // MIB} million characters",
        "booleans as 0 and 1",
    ),
    "guides/sources.zh.md": (
        f"最多 {MAX_CSV_BYTES // MIB} MiB",
        f"最多 {MAX_XLSX_BYTES // MIB} MiB、{MAX_FILLED:,} 个单元格",
        f"超过 {MAX_DIGITS} 位数字",
        "的 15 位号码",
        f"超过 {MAX_VALUE_BYTES // MIB} MiB",
        f"超过 {MAX_ROWS:,} 行或 {MAX_CHARACTERS // MIB * 100} 万字符",
        "存为 0 和 1",
    ),
    "guides/verifying.md": ("at least 128 bits", f"below {MIN_DELAY // 3600} hours"),
    "guides/verifying.zh.md": ("至少 128 位", f"短于 {MIN_DELAY // 3600} 小时"),
    "threat-model.zh.md": (
        f"默认 {HOURS} 小时",
        f"最长 {MAX_PAUSE // DAY} 天",
        f"该机构 {PAUSE_REST // DAY} 天内",
        f"可执行之后 {OPEN_FOR // DAY} 天到期",
        f"停止 {MAX_PAUSE // DAY} 天",
        f"少于 {MIN_DELAY // 3600} 小时",
        f"最多 {SESSION} 分钟",
        f"{NONCE_SECONDS // 60} 分钟内有效",
        "256 位随机数",
    ),
    "tutorial.md": (f"waits for {HOURS} hours",),
    "tutorial.zh.md": (f"等待 {HOURS} 小时",),
}
# Numbers that need no check: standards, scenarios, HTTP statuses, exit codes, file modes, years, steps and lines.
NOT_OURS: Final = re.compile(
    r"(RFC|ISO|UTF|SHA|AES|P|AES-256|GB|GB/T|GM/T|Excel) ?-?\d[\d.-]*(-GCM)?|GB18030|SM[23]|\b[45]\d\d\b|\b20[02]\b"
    r"|exit code \d+|退出码[为 ]*\d+|S\d\d\b|0[67]00|(19|20)\d\d|[Ll]ine 1\b|第 ?\d+ ?[行步项节]|第 \d+ 至 \d+ 项"
    r"|(step|[Cc]heck|[Ss]ection) \d+( to \d+)?|from \d+ to \d+|\d+ (minutes?|分钟)\)|^\d+\. |secp256k1|密钥 2"
)


def prose(page: str) -> str:
    """Return the text of a page without code, link targets and headings."""
    text = (DOCS / page).read_text("utf-8")
    for pattern in (r"```.*?```", r"`[^`]*`", r"(?<=\])\([^)]*\)", r"^#.*?$"):
        text = re.sub(pattern, "", text, flags=re.DOTALL | re.MULTILINE)
    return " ".join(text.split())


@pytest.mark.parametrize("page", SAID)
def test_each_number_in_a_guide_has_the_value_from_the_code(page: str) -> None:
    text = prose(page)
    for said in SAID[page]:
        assert said in text, said
        text = text.replace(said, "")
    left = NOT_OURS.sub("", text)
    found = [left[max(0, each.start() - 30) : each.end() + 20] for each in re.finditer(r"\d", left)]
    assert found == []


def test_numbers_written_as_words_in_the_guides_match_the_code() -> None:
    assert (LAPSE_SECONDS, MAX_KEY_BINDING_AGE, MAX_KEY_BINDING_SKEW) == (5 * 60, 10 * 60, 5 * 60)
    assert (THRESHOLD, MAX_PAUSE, MAX_XLS_BYTES) == (2, 7 * DAY, MAX_XLSX_BYTES)


def test_the_numbers_of_every_guide_are_checked() -> None:
    assert {f"guides/{page.name}" for page in (DOCS / "guides").glob("*.md")} <= set(SAID)
