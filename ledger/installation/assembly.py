"""Puts a ledger together: the one place that knows which part needs which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ledger.catalogue.data_list import Catalogue
from ledger.catalogue.demands import Demands
from ledger.catalogue.important_data import ImportantDataList
from ledger.catalogue.imports import CatalogueImport
from ledger.catalogue.open_catalogue import OpenCatalogue
from ledger.catalogue.publications import Publications
from ledger.catalogue.systems import Systems
from ledger.certificates.bundles import Bundles
from ledger.certificates.disclosures import Disclosures
from ledger.certificates.holds import Holds
from ledger.certificates.operations import Operations
from ledger.certificates.presentations import Presentations
from ledger.certificates.status import CertificateStatus
from ledger.certificates.uses import Uses
from ledger.certificates.verification import Verification
from ledger.chain.reading.reader import ChainReader
from ledger.chain.reading.remembering import Remembered
from ledger.chain.sending.relay import Relay
from ledger.domain.days import Clock
from ledger.domain.definitions.ruleset import Ruleset
from ledger.index.follower import Follower
from ledger.installation.participant import Participant, access
from ledger.installation.recovery.archiving import Archiving
from ledger.installation.recovery.loss import Loss, accept_loss
from ledger.installation.settings import Settings
from ledger.installation.setup import Installation
from ledger.log.anchoring import FAILURE, Anchoring, BatchRule, FailureNote
from ledger.log.coherence import Coherence
from ledger.log.idempotency import Idempotency
from ledger.log.positions import Positions
from ledger.parties.custody import Custody
from ledger.parties.directory import Directory
from ledger.parties.enrolments import Enrolments
from ledger.parties.keys import PartyKeys, anchor_first
from ledger.parties.lookups import party
from ledger.parties.mandates import Mandates
from ledger.parties.offices import Offices
from ledger.parties.onboarding import Onboarding
from ledger.parties.party_lists import RegistrationLists
from ledger.parties.principals import Principals
from ledger.parties.proposals.pauses import Pauses
from ledger.parties.proposals.proposals import Proposals
from ledger.parties.register import Parties
from ledger.parties.relayed_acts import RelayedActs
from ledger.parties.role_changes import RoleChanges
from ledger.parties.roles import Actor
from ledger.parties.statements import Intake
from ledger.parties.tables import PartyKey
from ledger.privacy.erasure import Erasure
from ledger.privacy.key_rotation import KeyRotation
from ledger.provenance.certificate_views import CertificateViews, OwnCertificates
from ledger.provenance.histories import Provenances
from ledger.provenance.inspection import Inspection
from ledger.provenance.log_entries import LogEntries
from ledger.registration.act_documents import ActDocuments
from ledger.registration.applications import Applications
from ledger.registration.assessments import Assessments
from ledger.registration.certificates import RegistrationCertificates
from ledger.registration.descriptions import Descriptions
from ledger.registration.liens import Liens
from ledger.registration.lineage import Lineage
from ledger.registration.objections import Objections
from ledger.registration.registrations import Registrations
from ledger.registration.review import Review
from ledger.registration.rights import Rights
from ledger.registration.transfers import Transfers
from ledger.rulebooks.scenario_drafts import ScenarioDrafts
from ledger.rulebooks.scenarios import ScenarioBook
from ledger.rulebooks.templates import expecting
from ledger.store.database import Database
from ledger.store.sealing import Sealer
from ledger.usage.authorizations import Authorizations
from ledger.usage.direct_withdrawals import DirectWithdrawals
from ledger.usage.expiry import Expiry
from ledger.usage.holdings.holder_bundles import HolderBundles
from ledger.usage.holdings.overview import Holdings
from ledger.usage.issuing.corrections import Corrections
from ledger.usage.issuing.issuance import Issuance
from ledger.usage.issuing.stops import Stops
from ledger.usage.provisions import Provisions
from ledger.usage.requests import Requests
from ledger.usage.revocations import Revocations
from ledger.usage.status_acts import StatusActs
from ledger.usage.withdrawals import Withdrawals

SEEN = "seen.json"


@dataclass(frozen=True, slots=True)
class Ledger(Participant):
    """The operator's open ledger: its use cases, ready to call."""

    installation: Installation
    coherence: Coherence
    sealer: Sealer
    key_rotation: KeyRotation
    archiving: Archiving
    custody: Custody
    scenarios: ScenarioBook
    scenario_drafts: ScenarioDrafts
    anchoring: Anchoring
    positions: Positions
    parties: Parties
    onboarding: Onboarding
    directory: Directory
    enrolments: Enrolments
    party_keys: PartyKeys
    role_changes: RoleChanges
    requests: Requests
    authorizations: Authorizations
    withdrawals: Withdrawals
    direct_withdrawals: DirectWithdrawals
    provisions: Provisions
    expiry: Expiry
    issuance: Issuance
    corrections: Corrections
    bundles: Bundles
    status: CertificateStatus
    revocations: Revocations
    status_acts: StatusActs
    holds: Holds
    rules: Ruleset
    registrations: Registrations
    applications: Applications
    registration_certificates: RegistrationCertificates
    review: Review
    objections: Objections
    rights: Rights
    liens: Liens
    lineage: Lineage
    assessments: Assessments
    mandates: Mandates
    principals: Principals
    own_certificates: OwnCertificates
    act_documents: ActDocuments
    transfers: Transfers
    holdings: Holdings
    holder_bundles: HolderBundles
    log_entries: LogEntries
    disclosures: Disclosures
    erasure: Erasure
    operations: Operations
    idempotency: Idempotency
    catalogue: Catalogue
    catalogue_import: CatalogueImport
    publications: Publications
    open_catalogue: OpenCatalogue
    important_data: ImportantDataList
    systems: Systems
    demands: Demands

    @property
    def authority(self) -> Actor:
        """The installation's authority as one that acts."""
        return self.parties.actor(self.installation.authority_party)

    def accept_loss(self) -> Loss:
        """As ``loss.accept_loss``; what was seen of the lost end of the chain is kept beside the memory of it."""
        seen = self.settings.home / SEEN
        if seen.exists():
            seen.rename(seen.with_name(f"{SEEN}.lost"))
        lost = accept_loss(self.database, self.reader, self.installation.issuer, self.follower)
        self.coherence.check()
        return lost


def wire(
    settings: Settings,
    installation: Installation,
    coherence: Coherence,
    custody: Custody,
    database: Database,
    sealer: Sealer,
    lookup_key: bytes,
    rules: Ruleset,
    clock: Clock,
) -> Ledger:
    """Put the parts together; no network, no I/O."""
    client, operator = installation.client, installation.operator
    reader = ChainReader(client)
    digest, suite = reader.chain.ledger, settings.signs_with
    # What stands against writing stands against sending.
    client.before_sending = database.require_writable
    acting = RelayedActs(Relay(client), custody, database, clock)
    rule = BatchRule(settings.batch_size, settings.batch_age)
    archiving = Archiving(settings, database, digest, clock)
    note = FailureNote(settings.home / FAILURE)
    anchoring = Anchoring(database, client, reader, coherence, installation.issuer, rule, clock, note, archiving)
    positions = Positions(database, anchoring)
    scenarios = ScenarioBook.load(settings.scenarios)
    status = CertificateStatus(database, client, positions)
    follower = Follower(database.engine, reader, goes_back=settings.rpc_url is not None)
    lists = RegistrationLists(database, client, clock, sealer)

    def account_of(identifier: str) -> str:
        with database.read() as session:
            return party(session, identifier).account

    def key_of(account: str) -> str | None:
        with database.read() as session:
            key = session.get(PartyKey, account)
        return None if key is None else key.public_key

    entrance = access(settings, database, reader, clock, key_of=key_of)
    proposals = Proposals(
        database,
        client,
        reader,
        follower,
        acting,
        lists,
        clock,
        account_of=account_of,
        within_reach=Offices(database, reader, custody).within_reach,
        before_retiring=lambda: anchor_first(anchoring),
        lock=settings.home / "proposing.lock",
    )
    parties = Parties(database, sealer, follower, entrance.roles, lookup_key)
    onboarding = Onboarding(
        database,
        sealer,
        custody,
        reader,
        proposals,
        lists,
        follower,
        installation.authority_party,
        lookup_key,
        clock,
    )
    party_keys = PartyKeys(database, client, reader, follower, acting, custody, proposals)
    proposals.when_changed(party_keys.settle_changed)
    proposals.when_changed(onboarding.complete)
    intake = Intake(digest, clock)
    withdrawals = Withdrawals(database, client, reader, parties, intake, positions, status, clock)
    descriptions = Descriptions(database, follower)
    catalogue, mandates = Catalogue(database, clock), Mandates(database, entrance.roles, clock)
    act_documents = ActDocuments(database, sealer, follower, lookup_key, clock)
    certificates = RegistrationCertificates(
        database, sealer, reader, status, scenarios, descriptions, operator, digest, clock
    )
    issuance = Issuance(database, sealer, Stops(database, reader), scenarios, operator, clock)
    bundles = Bundles(database, sealer, reader, custody.signer, suite)
    uses = Uses(client, reader, custody, operator, account_of)
    holdings = Holdings(database, follower, clock)
    principals = Principals(database, clock)
    provenances = Provenances(database, reader, follower)
    presentations = Presentations(database, reader, follower, clock, keeps_log=True)
    verification = Verification(
        database,
        reader,
        Remembered(reader, settings.home / SEEN),
        partial(expecting, scenarios),
        uses,
        presentations,
        clock,
    )
    holds, revocations = Holds(database, reader, acting, proposals), Revocations(database, client, follower, anchoring)
    own_certificates = OwnCertificates(holdings, principals, bundles, entrance.readings)
    return Ledger(
        settings=settings,
        installation=installation,
        coherence=coherence,
        clock=clock,
        database=database,
        sealer=sealer,
        key_rotation=KeyRotation(database, sealer, archiving),
        archiving=archiving,
        custody=custody,
        client=client,
        reader=reader,
        follower=follower,
        scenarios=scenarios,
        scenario_drafts=ScenarioDrafts(database, clock),
        anchoring=anchoring,
        positions=positions,
        party=operator,
        access=entrance,
        parties=parties,
        onboarding=onboarding,
        directory=Directory(database, sealer),
        enrolments=Enrolments(database, onboarding, reader.chain, clock),
        proposals=proposals,
        pauses=Pauses(reader, acting, proposals, account_of),
        party_keys=party_keys,
        role_changes=RoleChanges(database, reader, follower, acting, proposals),
        requests=Requests(database, sealer, parties, scenarios, intake, suite.digest, clock),
        authorizations=Authorizations(database, sealer, parties, scenarios, intake, clock),
        withdrawals=withdrawals,
        direct_withdrawals=DirectWithdrawals(database, follower, positions, status, clock),
        provisions=Provisions(database, sealer, scenarios, reader.chain, intake, withdrawals.relay, clock),
        expiry=Expiry(database, clock),
        issuance=issuance,
        corrections=Corrections(database, reader, issuance, positions, status),
        bundles=bundles,
        verification=verification,
        presentations=presentations,
        own_certificates=own_certificates,
        certificate_views=CertificateViews(verification, presentations, provenances, own_certificates),
        status=status,
        revocations=revocations,
        holds=holds,
        status_acts=StatusActs(status, holds, revocations, holdings),
        rules=rules,
        registrations=Registrations(database, reader, acting, descriptions, catalogue, mandates, rules, clock),
        applications=Applications(database, reader, acting, act_documents, descriptions, rules, clock),
        registration_certificates=certificates,
        review=Review(database, reader, follower, acting, act_documents, certificates, rules, clock),
        objections=Objections(database, reader, follower, acting, act_documents, rules),
        rights=Rights(database, reader, acting, act_documents, certificates, clock),
        liens=Liens(database, reader, acting, act_documents, rules),
        lineage=Lineage(acting),
        assessments=Assessments(database, reader, follower, acting, act_documents, clock),
        mandates=mandates,
        principals=principals,
        act_documents=act_documents,
        transfers=Transfers(database, reader, follower, acting, proposals, certificates, act_documents, rules, clock),
        provenances=provenances,
        inspection=Inspection(
            database, reader, follower, provenances, coherence, clock, anchoring=anchoring, oldest=settings.oldest_head
        ),
        holdings=holdings,
        holder_bundles=HolderBundles(holdings, bundles),
        log_entries=LogEntries(database, principals),
        disclosures=Disclosures(database, sealer, clock),
        erasure=Erasure(database, sealer, follower, entrance.roles, archiving, digest, clock),
        operations=Operations(database, clock),
        idempotency=Idempotency(database, lookup_key, clock),
        catalogue=catalogue,
        catalogue_import=CatalogueImport(database, clock),
        publications=Publications(database, parties, intake, clock),
        open_catalogue=OpenCatalogue(database, clock),
        important_data=ImportantDataList(database, clock),
        systems=Systems(database, clock),
        demands=Demands(database, rules.share_days, clock),
    )
