"""The tables of a provider's records. Digests and party ids are 64 hex digits, times seconds UTC."""

from __future__ import annotations

from typing import Final

VERSION: Final = 1
SCHEMA: Final = (
    "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # How far the platform's lists were read.
    "CREATE TABLE seen (name TEXT PRIMARY KEY, after TEXT NOT NULL)",
    # The party id that was answered for an identifier, by a keyed digest of the identifier; null once it was erased.
    "CREATE TABLE subject (mark TEXT PRIMARY KEY, party TEXT UNIQUE)",
    # Who stands behind a party id, so that an auditor finds the rows; destroyed by an erasure.
    "CREATE TABLE opening (party TEXT PRIMARY KEY, kind TEXT NOT NULL, identifier TEXT NOT NULL, key TEXT NOT NULL)",
    # Other party ids for an identifier, which wait for the clerk.
    "CREATE TABLE changed (party TEXT PRIMARY KEY, mark TEXT NOT NULL REFERENCES subject, identifier TEXT NOT NULL,"
    " at INTEGER NOT NULL)",
    # Signed answers. state: waiting (for the acknowledgement), received, refused (with the platform's code), erased.
    "CREATE TABLE answer (digest TEXT PRIMARY KEY, authorization TEXT NOT NULL, party TEXT NOT NULL,"
    " result TEXT NOT NULL, state TEXT NOT NULL, code TEXT, entry TEXT NOT NULL, disclosures TEXT NOT NULL,"
    " withdrawal TEXT, withdrawn TEXT, salt TEXT, at INTEGER NOT NULL)",
    "CREATE INDEX answer_party ON answer (party)",
    "CREATE INDEX answer_authorization ON answer (authorization)",
    "CREATE UNIQUE INDEX answer_waiting ON answer (authorization) WHERE state = 'waiting'",
)
