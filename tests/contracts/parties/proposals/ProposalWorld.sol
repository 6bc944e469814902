// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IPartyKeys} from "../../../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRegistry} from "../../../../contracts/interfaces/IPartyRegistry.sol";
import {AssetId, PartyNo, PartyStatus, ScenarioCode} from "../../../../contracts/Types.sol";
import {PartyWorld} from "../PartyWorld.sol";

/// A party registry, and calls that several tests of proposals need.
abstract contract ProposalWorld is PartyWorld {
    AssetId internal constant ASSET = AssetId.wrap("asset");

    /// Returns one call of each function that concerns a party; the first call is the change of keys.
    function concerning(PartyNo no) internal view returns (bytes[5] memory) {
        return [
            recovery(no, accountOf(no)),
            setRolesCall(no, 0),
            setStatusCall(no, PartyStatus.Closed),
            abi.encodeCall(IPartyRegistry.accredit, (no, ScenarioCode.wrap("S51"), 1, 2)),
            abi.encodeCall(IPartyKeys.dateCompromise, (no, accountOf(no), START))
        ];
    }
}
