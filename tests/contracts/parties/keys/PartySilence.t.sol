// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {PartyNo, PartyStatus} from "../../../../contracts/Types.sol";
import {PartyWorld} from "../PartyWorld.sol";
import {vm} from "../../Vm.sol";

/// Tests when a party is silent, which means that no key may act for it any more; see PartySilence.tree.
contract PartySilenceTest is PartyWorld {
    /// A party becomes silent when no key could act for it during a whole waiting period; the seconds of a pause count
    /// too. The party stays silent until a key may act for it again.
    function testFuzz_isSilent_GivenNoKeyMayActForTheParty(uint40 wait) public {
        wait = uint40(bound(wait, 0, 2 * DELAY));
        bytes memory call = recovery(ISSUER, accountOf(ISSUER));
        uint32 no = decided(call);
        reportBy(ISSUER, ISSUER, accountOf(ISSUER));
        decide(change(SUBJECT, STRANGER, address(0), ""));
        vm.warp(START + DELAY + wait);
        pauseBy(SUPERVISOR);
        assertTrue(registry.isSilent(ISSUER) == (wait >= DELAY), "it is silent after the delay, also during a pause");
        pass(PAUSE);
        carryOut(no, call);
        assertTrue(!registry.isSilent(ISSUER), "a key may act again");
    }

    /// A closed party is silent although it has proven keys; binding another key does not change that.
    function test_isSilent_GivenThePartyIsClosed() public {
        setStatus(ISSUER, PartyStatus.Closed);
        assertTrue(!registry.isSilent(ISSUER), "a closed party is not silent before the delay");
        pass(DELAY - 1);
        assertTrue(!registry.isSilent(ISSUER), "a closed party is not silent before the delay");
        pass(1);
        assertTrue(registry.isSilent(ISSUER), "a closed party is silent after the delay");
        changeOwn(ISSUER, change(ISSUER, fresh(), address(0), proofOf(FRESH_KEY, ISSUER)));
        assertTrue(registry.isSilent(ISSUER), "a closed party stays silent");
    }

    function testFuzz_isSilent_GivenThePartyIsUnknown(uint32 no) public view {
        vm.assume(no == 0 || no > PARTIES);
        assertTrue(!registry.isSilent(PartyNo.wrap(no)), "an unknown party is not silent");
    }
}
