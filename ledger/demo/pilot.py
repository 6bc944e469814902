"""The pilot from an empty folder to verified certificates, and again on what a run before left."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from ledger.chain.facts import collect_facts
from ledger.demo.cast import Cast, assemble
from ledger.demo.catalogue import Library
from ledger.demo.credit import SCENARIO, CreditBureau, Verification, issue_credit, verify_credit
from ledger.demo.life import live_on
from ledger.demo.picture import flow_picture
from ledger.demo.registration import catch_up, register_catalogue, transfer_one
from ledger.demo.stages import Run
from ledger.demo.unhappy import CASES, unhappy_cases
from ledger.proof.bundle import parse_bundle
from ledger.service.local_chain import LocalClock
from ledger.service.registration_certificates import REGISTRATION_SCENARIO
from ledger.service.wiring import Ledger

Tick = Callable[[int], None]
Progress = Callable[[str, int], Tick]
YEAR = 366 * 86_400
REPORTS = ("quality", "appraise")
KEPT = 10


def run_pilot(ledger: Ledger, out: Path, progress: Progress) -> Run:
    """Run both halves and the unhappy cases; leaves certificates, bundles, summary and picture in ``out``."""
    run, library = Run(), Library()
    rows = library.firms()
    with run.stage("参与方上链 onboard the parties") as stage:
        cast = assemble(ledger, list(rows))
        _accredit(ledger, cast)
        stage.count = run.counts["parties"] = len(cast.firms) + 8
    assets = register_catalogue(ledger, cast, library, run, progress)
    if LocalClock(ledger.settings).ahead < 0:
        live_on(ledger, cast, assets, run, progress)
        _write_life(out / "asset", ledger, assets[0])
    catch_up(ledger)
    moved = transfer_one(ledger, cast, run)
    bureau = CreditBureau(ledger, cast)
    credit = issue_credit(bureau, rows, run, progress)
    firms = list(rows)
    unhappy, happy = firms[: len(CASES)], firms[len(CASES) :]
    made = verify_credit(bureau, {firm: credit.certificates[firm] for firm in happy}, run, progress)
    unhappy_cases(bureau, credit, unhappy, run)
    ledger.anchoring.flush()
    _write_out(out, ledger, cast, run, made, moved)
    return run


def _accredit(ledger: Ledger, cast: Cast) -> None:
    start = ledger.clock() - ledger.clock() % YEAR
    scenarios = (SCENARIO, REGISTRATION_SCENARIO)
    ledger.parties.accredit(ledger.installation.operator, scenarios, start, start + 4 * YEAR)
    ledger.parties.accredit(cast.assessor, REPORTS, start, start + 4 * YEAR)


def _write_out(out: Path, ledger: Ledger, cast: Cast, run: Run, made: dict[str, Verification], moved: str) -> None:
    for firm, verification in list(made.items())[:KEPT]:
        _save(out / "bundles" / f"firm-{int(firm):03d}.json", verification.bundle)
        certificate = parse_bundle(verification.bundle).certificate
        _save(out / "certificates" / f"firm-{int(firm):03d}.sd-jwt", certificate.encode())
    first = next(iter(made.values()))
    if first.facts is not None:
        _save(out / "verify" / "bundle.json", first.bundle)
        _save(out / "verify" / "facts.json", first.facts.to_bytes())
        _save(out / "verify" / "request.json", _json({"consumer": cast.bank, "nonce": first.nonce}))
    registration = ledger.bundles.build(moved)
    _save(out / "bundles" / "registration.json", registration.to_bytes())
    _save(out / "verify" / "registration-facts.json", collect_facts(ledger.reader, registration).to_bytes())
    _save(out / "summary.json", _json(run.to_dict()))
    _save(out / "flow.svg", flow_picture(run).encode())


def _write_life(folder: Path, ledger: Ledger, asset: str) -> None:
    _save(folder / "provenance.json", _json(ledger.provenances.asset(asset).to_dict()))
    _save(folder / "provenance.jsonld", _json(ledger.provenances.prov(asset)))
    _save(folder / "timeline.svg", ledger.provenances.timeline(asset).encode())


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"


def _save(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".new")
    draft.write_bytes(data)
    draft.replace(path)
