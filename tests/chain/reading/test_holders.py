"""Tests the list of all holders of an asset, and that it is noticed if a node hides a holder."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ledger.chain.reading.reader import ChainReader
from ledger.chain.sending import asset_calls, calls
from ledger.chain.sending.sender import Receipt
from ledger.errors import ChainUnavailable
from ledger.proof.facts import HolderFact
from tests.support.chain.deployed import Chain
from tests.support.chain.hiding_nodes import reader_without
from tests.support.chain.reads import is_silent
from tests.support.chain.scripted_ledger import FAR, confirm, digest, register

ASSET = "a5" * 32


def transferred(chain: Chain) -> list[Receipt]:
    """Transfer an asset from the provider to the bank, and then to the other bank. That bank becomes silent, so two
    officers reassign the asset to the assessor. Return the receipts of the four acts.
    """
    moves = [chain.acting("provider").send(register(ASSET))]
    confirm(chain, ASSET, valid_to=FAR)
    for giver, taker in pairwise(("provider", "bank", "other_bank")):
        chain.node.advance(60)
        chain.acting(giver).send(asset_calls.offer_transfer(ASSET, chain.parties[taker].no, FAR - 1))
        moves.append(chain.acting(taker).send(asset_calls.accept_transfer(ASSET)))
    silent = chain.parties["other_bank"]
    chain.acting("other_bank").send(calls.report(silent.no, silent.account))
    assert is_silent(chain.reader, silent.no) and not is_silent(chain.reader, chain.parties["bank"].no)
    to_assessor = asset_calls.reassign(ASSET, chain.parties["assessor"].no, digest("inheritance"))
    return [*moves, chain.decide(to_assessor)]


def holders(reader: ChainReader, block: int) -> list[HolderFact]:
    asset = reader.asset(ASSET, block=block)
    assert asset is not None
    return reader.holders(asset, block=block)


def test_all_holders_of_an_asset_are_listed_in_order(chain: Chain) -> None:
    moves = transferred(chain)
    names = ("provider", "bank", "other_bank", "assessor")
    expected = [HolderFact(chain.parties[name].id, move.time) for name, move in zip(names, moves, strict=True)]
    for count, move in enumerate(moves, start=1):
        assert holders(chain.reader, move.block_number) == expected[:count]
    assert holders(chain.reader, chain.reader.block_number()) == expected


@pytest.mark.parametrize("hidden", [(0,), (1,), (2,), (3,), (1, 2), (0, 1, 2, 3)])
def test_a_node_that_hides_a_holder_is_noticed(chain: Chain, hidden: tuple[int, ...]) -> None:
    moves = transferred(chain)
    blind = reader_without(chain, *(event for number in hidden for event in moves[number].events))
    with pytest.raises(ChainUnavailable) as caught:
        holders(blind, chain.reader.block_number())
    assert caught.value.code == "HOLDER_HISTORY_INCOMPLETE"
