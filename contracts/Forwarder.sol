// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {IOrigin} from "./interfaces/IOrigin.sol";
import {Clock} from "./libraries/Clock.sol";

/// @title Forwards calls that parties signed. The service sends the transaction and pays for it; the called contract
/// takes the party as the sender.
/// @notice The forwarder is the first contract of a ledger. It computes the ledger's origin, and the other contracts
/// read the origin from the forwarder.
contract Forwarder is ERC2771Forwarder, IOrigin {
    bytes32 private constant TAG = "pingzheng/origin/v2";

    bytes32 private immutable _ORIGIN;

    /// The name of the signing domain contains the origin, so a signed request is valid on this ledger only.
    /// @param salt A random value. On chains where `blockhash` returns zero, only the salt makes the origin unique.
    constructor(bytes32 salt) ERC2771Forwarder(_domainOf(_past(salt))) {
        _ORIGIN = _past(salt);
    }

    /// @inheritdoc IOrigin
    function origin() external view returns (bytes32) {
        return _ORIGIN;
    }

    /// Computes the origin from the present block, the chain id, this contract's address and `salt`.
    function _past(bytes32 salt) private view returns (bytes32) {
        bytes32 previous = blockhash(block.number - 1);
        return sha256(
            abi.encode(TAG, block.chainid, address(this), previous, Clock.nowSeconds(), block.number, salt)
        );
    }

    /// Returns the text `Pingzheng/0x` followed by the 64 hex digits of the origin.
    function _domainOf(bytes32 origin_) private pure returns (string memory) {
        return string.concat("Pingzheng/", Strings.toHexString(uint256(origin_), 32));
    }
}
