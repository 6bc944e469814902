"""Runs a fixed script of acts on some assets. It causes every kind of event of the asset register, with at least one
second between acts.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger.chain.contracts.names import ROLES
from ledger.chain.sending import asset_calls as assets
from ledger.chain.sending import calls
from ledger.chain.sending.asset_calls import AssetRegistration, Grant
from ledger.chain.sending.calls import Call
from tests.support.chain.deployed import NOTICE, Chain
from tests.support.chain.scripted_ledger import FAR, digest

PARENT, CHILD, PREDECESSOR = (digest(f"living asset {name}") for name in ("parent", "child", "predecessor"))

YEAR = 31_536_000


@dataclass(frozen=True, slots=True)
class Life:
    """Sends the acts of the script, each as the named party. No two acts are sent in the same second."""

    chain: Chain

    def act(self, party: str, call: Call) -> None:
        self.chain.node.advance(1)
        self.chain.acting(party).send(call)

    def decide(self, call: Call) -> None:
        """Let one officer propose a call and another confirm it."""
        self.chain.node.advance(1)
        self.chain.decide(call)

    @property
    def now(self) -> int:
        return self.chain.reader.latest().time

    def advance(self, stage: str, *ids: str) -> None:
        until = self.now + NOTICE + 60 if stage == "noticed" else 0
        self.act("registrar", assets.advance(ids, stage, until=until))

    def notice(self, *ids: str) -> None:
        """Bring a filed application to its public notice."""
        for stage in ("accepted", "reviewed", "noticed"):
            self.advance(stage, *ids)

    def confirm(self, valid_to: int, *ids: str) -> None:
        """Confirm an application after its public notice."""
        self.chain.node.advance(NOTICE + 90)
        self.act("registrar", assets.confirm_assets(ids, valid_to))


def entry(asset: str, grade: str = "general") -> AssetRegistration:
    return AssetRegistration(asset, digest(f"content {asset}"), digest(f"print {asset}"), grade)


def live_assets_through(chain: Chain) -> None:
    """Run the whole script."""
    life = Life(chain)
    assessor = sum(1 << ROLES.index(role) for role in ("consumer", "assessor"))
    life.decide(calls.set_roles(chain.parties["other_bank"].no, assessor))
    life.decide(calls.accredit(chain.parties["other_bank"].no, "quality", 0, FAR))
    life.act("provider", assets.register_assets([entry(PARENT), entry(PREDECESSOR)]))
    life.notice(PARENT, PREDECESSOR)
    life.confirm(life.now + 3 * YEAR, PARENT, PREDECESSOR)
    _register_child(life)
    _use_rights(life)
    _pledge_and_transfer(life)
    _change_and_object(life)
    _end(life)


def _register_child(life: Life) -> None:
    life.act("provider", assets.register_assets([entry(CHILD)]))
    life.act("provider", assets.link(CHILD, "derived_from", PARENT))
    life.act("registrar", assets.advance([CHILD], "returned", grounds=digest("incomplete")))
    life.act("provider", assets.file_application(CHILD, "first", digest("fuller"), assets.NOTHING, "important"))
    life.act("founder", assets.clear(CHILD, digest("security review")))
    life.notice(CHILD)
    life.act("bank", assets.object_to(CHILD, digest("grounds")))
    for state in ("admitted", "verified", "dismissed"):
        life.act("registrar", assets.decide(CHILD, 1, state, digest(state)))
    life.confirm(life.now + YEAR, CHILD)
    life.act("other_bank", assets.assess(CHILD, "quality", digest("quality report"), life.now + YEAR))


def _use_rights(life: Life) -> None:
    bank, enterprise = life.chain.parties["bank"].no, life.chain.parties["enterprise"].no
    start = life.now + 20
    life.act(
        "provider",
        assets.grant_right(
            CHILD, Grant("process", bank, start, start + 5000, exclusive=True, sublicensable=True, transferable=True)
        ),
    )
    life.act("provider", assets.grant_right(CHILD, Grant("operate", enterprise, start + 30, start + 5000)))
    life.chain.node.advance(30)
    licence = Grant("process", enterprise, start + 60, start + 4000, parent=1, scope=digest("one province"))
    life.act("bank", assets.grant_right(CHILD, licence))
    life.chain.node.advance(60)
    life.act("bank", assets.transfer_right(CHILD, 1, life.chain.parties["other_bank"].no))
    life.act("other_bank", assets.end_right(CHILD, 1))
    far = life.now + 4000
    life.act("provider", assets.grant_right(CHILD, Grant("operate", bank, far, far + 100)))
    life.act("registrar", assets.end_right(CHILD, 4, digest("breach")))


def _pledge_and_transfer(life: Life) -> None:
    bank, other = life.chain.parties["bank"].no, life.chain.parties["other_bank"].no
    life.act("provider", assets.pledge(CHILD, bank, False, digest("first loan")))
    life.act("provider", assets.pledge(CHILD, other, False, digest("second loan")))
    life.act("bank", assets.consent_to_transfer(CHILD, 0, life.chain.parties["enterprise"].no))
    life.act("bank", assets.release(CHILD, 0))
    life.act("provider", assets.pledge(CHILD, bank, False, digest("third loan")))
    for party, lien in (("bank", 0), ("other_bank", 1)):
        life.act(party, assets.consent_to_transfer(CHILD, lien, life.chain.parties["enterprise"].no))
    life.act("other_bank", assets.consent_to_transfer(CHILD, 1, 0))
    life.act("other_bank", assets.release(CHILD, 1))
    enterprise = life.chain.parties["enterprise"].no
    life.act("provider", assets.offer_transfer(CHILD, enterprise, life.now + 100))
    life.act("enterprise", assets.reject_transfer(CHILD))
    life.act("provider", assets.offer_transfer(CHILD, enterprise, life.now + 100))
    life.act("provider", assets.withdraw_offer(CHILD))
    life.act("provider", assets.offer_transfer(CHILD, enterprise, life.now + 10))
    life.chain.node.advance(20)
    life.act("provider", assets.offer_transfer(CHILD, enterprise, life.now + 100))
    life.act("enterprise", assets.accept_transfer(CHILD))


def _change_and_object(life: Life) -> None:
    changed = assets.file_application(CHILD, "change", digest("changed"), digest("new print"), "important")
    life.act("enterprise", changed)
    life.advance("accepted", CHILD)
    life.act("registrar", assets.reject(CHILD, digest("no basis")))
    life.act("enterprise", changed)
    life.notice(CHILD)
    life.act("bank", assets.object_to(CHILD, digest("ours")))
    life.act("other_bank", assets.object_to(CHILD, digest("theirs")))
    _uphold(life, 2)
    life.act("enterprise", changed)
    life.notice(CHILD)
    _uphold(life, 3)  # The objection was against the previous application, and not against the present one.
    life.act("bank", assets.object_to(CHILD, digest("ours as before")))
    _uphold(life, 4)
    # The security review of the old content no longer counts, because new content was filed.
    life.act("founder", assets.clear(CHILD, digest("security review of the change")))
    life.act("bank", assets.object_to(CHILD, digest("still ours")))
    _uphold(life, 5)
    life.act("enterprise", assets.file_application(CHILD, "correct", digest("correct"), assets.NOTHING, "important"))
    for stage in ("accepted", "reviewed"):
        life.advance(stage, CHILD)
    life.act("registrar", assets.confirm_assets([CHILD], 0))
    life.act("founder", assets.set_frozen(CHILD, False, "lifted"))
    life.act("founder", assets.set_frozen(PARENT, True, "investigation"))
    life.act("bank", assets.object_to(CHILD, digest("again")))
    life.act("registrar", assets.decide(CHILD, 6, "refused", digest("no new facts")))


def _uphold(life: Life, objection: int) -> None:
    for state in ("admitted", "verified", "upheld"):
        life.act("registrar", assets.decide(CHILD, objection, state, digest(state)))


def _end(life: Life) -> None:
    life.act("enterprise", assets.file_application(CHILD, "renew", digest("correct"), assets.NOTHING, "important"))
    for stage in ("accepted", "reviewed"):
        life.advance(stage, CHILD)
    life.act("registrar", assets.confirm_assets([CHILD], life.now + 2 * YEAR))
    life.act("founder", assets.annul(PARENT, "fraud", digest("forged")))
    life.act("bank", assets.release(CHILD, 0))
    life.act("enterprise", assets.file_application(CHILD, "cancel", digest("end"), assets.NOTHING, "important"))
    for stage in ("accepted", "reviewed"):
        life.advance(stage, CHILD)
    life.act("registrar", assets.confirm_assets([CHILD], 0))
    rejected = digest("living asset rejected")
    life.act("provider", assets.register_assets([entry(rejected)]))
    life.advance("accepted", rejected)
    life.act("registrar", assets.reject(rejected, digest("no data")))
    heir = _heir(life)
    life.act("provider", assets.replace(PREDECESSOR, heir))
    # The holder offers the asset, and becomes silent before anybody accepts.
    provider, bank = life.chain.parties["provider"], life.chain.parties["bank"]
    life.act("provider", assets.offer_transfer(heir, bank.no, life.now + 1000))
    life.act("founder", calls.report(provider.no, provider.account))
    life.decide(assets.reassign(heir, bank.no, digest("inheritance")))


def _heir(life: Life) -> str:
    heir = digest("living asset heir")
    life.act("provider", assets.register_assets([entry(heir)]))
    life.act("provider", assets.link(heir, "split_from", PREDECESSOR))
    life.notice(heir)
    life.confirm(life.now + YEAR, heir)
    return heir
