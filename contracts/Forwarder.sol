// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IOrigin} from "./interfaces/IOrigin.sol";
import {Clock} from "./libraries/Clock.sol";

/// @title Sends what parties sign: the service relays and pays, the contracts see the party.
/// @notice The first contract of a ledger. It fixes the ledger's origin, and the other contracts take it from here.
contract Forwarder is ERC2771Forwarder, IOrigin {
    bytes32 private constant TAG = "pingzheng/origin/v2";

    bytes32 private immutable _ORIGIN;

    /// The signing domain is named after the origin, so no request passes on another ledger.
    /// @param salt Random. It makes the origin unique on engines that give zero for the previous block's hash.
    constructor(bytes32 salt) ERC2771Forwarder(_domainOf(_past(salt))) {
        _ORIGIN = _past(salt);
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }

    /// The origin, as of the block that deploys this contract.
    function _past(bytes32 salt) private view returns (bytes32) {
        bytes32 previous = blockhash(block.number - 1);
        return sha256(
            abi.encode(TAG, block.chainid, address(this), previous, Clock.nowSeconds(), block.number, salt)
        );
    }

    /// `Pingzheng/0x` and the 64 hex digits of the origin.
    function _domainOf(bytes32 origin_) private pure returns (string memory) {
        return string.concat("Pingzheng/", Strings.toHexString(uint256(origin_), 32));
    }
}
