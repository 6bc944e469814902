// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../../../contracts/interfaces/IPartyRecord.sol";
import {PartyNo} from "../../../../contracts/Types.sol";
import {PartyWorld} from "../PartyWorld.sol";

/// Tests setting the time from which a key is compromised; see PartyCompromise.tree.
contract PartyCompromiseTest is PartyWorld {
    function test_dateCompromise_GivenNoApprovedProposal() public {
        for (uint32 no = 1; no <= PARTIES; ++no) {
            expectNotDecided();
            by(PartyNo.wrap(no));
            registry.dateCompromise(SUBJECT, accountOf(SUBJECT), START);
        }
    }

    function test_dateCompromise_WhenTheAccountBelongsToAnotherParty() public {
        bytes memory call = _date(SUBJECT, accountOf(ISSUER), START);
        uint32 no = decided(call);
        expectNotBound(SUBJECT, accountOf(ISSUER));
        carryOut(no, call);
    }

    function test_dateCompromise_WhenTheTimeIsZeroOrInTheFuture() public {
        uint40[2] memory times = [0, START + 2 * DELAY + 1];
        for (uint40 i = 0; i < times.length; ++i) {
            bytes memory call = _date(SUBJECT, accountOf(SUBJECT), times[i]);
            uint32 no = decided(call);
            expectReverting(IPartyKeys.PartyCompromiseTime.selector, times[i], START + (i + 1) * DELAY);
            carryOut(no, call);
        }
    }

    function testFuzz_dateCompromise_GivenAnEarlierOrEqualTimeIsKnown(uint40 known, uint40 later) public {
        known = uint40(bound(known, 1, START));
        later = uint40(bound(later, known, type(uint40).max));
        decide(_date(SUBJECT, accountOf(SUBJECT), known));
        bytes memory call = _date(SUBJECT, accountOf(SUBJECT), later);
        uint32 no = decided(call);
        expectReverting(IPartyKeys.PartyCompromiseTime.selector, later, known - 1);
        carryOut(no, call);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, known);
    }

    function testFuzz_dateCompromise_GivenALaterTimeIsKnown(uint40 known, uint40 earlier) public {
        known = uint40(bound(known, 2, START));
        earlier = uint40(bound(earlier, 1, known - 1));
        decide(_date(SUBJECT, accountOf(SUBJECT), known));
        decide(_date(SUBJECT, accountOf(SUBJECT), earlier));
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, earlier);
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START + DELAY);
    }

    function test_dateCompromise_GivenTheKeyIsLive() public {
        bytes memory call = _date(SUBJECT, accountOf(SUBJECT), START - 9);
        uint32 no = decided(call);
        expectEvent();
        emit IPartyKeys.AccountReported(SUBJECT, accountOf(SUBJECT), START + DELAY, AUTHORITY);
        expectEvent();
        emit IPartyKeys.AccountCompromised(SUBJECT, accountOf(SUBJECT), START - 9, START + DELAY, AUTHORITY);
        carryOut(no, call);
        IPartyRecord.Account memory key = registry.accountOf(accountOf(SUBJECT));
        assertEq(key.reportedAt, START + DELAY);
        assertEq(key.compromisedAt, START - 9);
        assertEq(key.validTo, 0);
    }

    function test_dateCompromise_GivenTheKeyIsReported() public {
        reportBy(SUBJECT, SUBJECT, accountOf(SUBJECT));
        decide(_date(SUBJECT, accountOf(SUBJECT), START - 9));
        assertEq(registry.accountOf(accountOf(SUBJECT)).reportedAt, START);
        assertEq(registry.accountOf(accountOf(SUBJECT)).compromisedAt, START - 9);
    }

    function test_dateCompromise_GivenTheKeyIsRetired() public {
        changeOwn(SUBJECT, change(SUBJECT, address(0), accountOf(SUBJECT), ""));
        decide(_date(SUBJECT, accountOf(SUBJECT), START - 9));
        IPartyRecord.Account memory key = registry.accountOf(accountOf(SUBJECT));
        assertEq(key.reportedAt, 0);
        assertEq(key.validTo, START + DELAY);
        assertEq(key.compromisedAt, START - 9);
    }

    function test_dateCompromise_WhenTooFewOfficersAreLeft() public {
        bytes memory call = _date(THIRD_OFFICER, accountOf(THIRD_OFFICER), START);
        uint32 no = decided(call);
        expectTooFew();
        carryOut(no, call);
    }

    function _date(PartyNo no, address account, uint40 at) private pure returns (bytes memory) {
        return abi.encodeCall(IPartyKeys.dateCompromise, (no, account, at));
    }
}
