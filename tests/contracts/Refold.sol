// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRegistry} from "../../contracts/interfaces/IAssetRegistry.sol";
import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {Vm} from "./Vm.sol";

/// Heads recomputed from emitted events alone, as docs/protocol.md section 3 has them. Shares no code with the contracts.
library Refold {
    error UnknownEvent(bytes32 topic);

    function genesis(uint256 chain, address emitter) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes32("pingzheng/head/v1"), bytes32(chain), _word(emitter)));
    }

    function genesis(uint256 chain, address emitter, bytes32 scope) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes32("pingzheng/head/v1"), bytes32(chain), _word(emitter), scope));
    }

    /// Over every event of one contract.
    function over(bytes32 head, Vm.Log[] memory logs, address emitter) internal pure returns (bytes32) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == emitter) head = next(head, logs[i]);
        }
        return head;
    }

    /// Over the events of one contract whose first topic is `scope`.
    function over(bytes32 head, Vm.Log[] memory logs, address emitter, bytes32 scope)
        internal
        pure
        returns (bytes32)
    {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == emitter && logs[i].topics[1] == scope) head = next(head, logs[i]);
        }
        return head;
    }

    function next(bytes32 head, Vm.Log memory log) internal pure returns (bytes32) {
        return sha256(bytes.concat(head, digest(log)));
    }

    function digest(Vm.Log memory log) internal pure returns (bytes32) {
        bytes memory words = bytes.concat(tagOf(log.topics[0]));
        if (log.topics[0] == IAssetRegistry.Registered.selector) {
            // The only event with a plain field between its indexed ones.
            (uint32 assetNo, bytes32 content, bytes32 fingerprint, uint40 at, uint32 by) =
                abi.decode(log.data, (uint32, bytes32, bytes32, uint40, uint32));
            bytes memory plain = abi.encode(log.topics[1], assetNo, log.topics[2], content, fingerprint, at, by);
            return sha256(bytes.concat(words, plain));
        }
        for (uint256 i = 1; i < log.topics.length; ++i) {
            words = bytes.concat(words, log.topics[i]);
        }
        return sha256(bytes.concat(words, log.data));
    }

    function tagOf(bytes32 topic) internal pure returns (bytes32) {
        if (topic == ICertificateLog.Anchored.selector) return "log/anchored/v1";
        if (topic == ICertificateLog.StatusChanged.selector) return "log/status/v1";
        if (topic == ICertificateLog.Superseded.selector) return "log/superseded/v1";
        if (topic == ICertificateLog.Used.selector) return "log/used/v1";
        if (topic == IPartyRegistry.PartyRegistered.selector) return "party/registered/v1";
        if (topic == IPartyRegistry.AccountBound.selector) return "party/bound/v1";
        if (topic == IPartyRegistry.AccountRetired.selector) return "party/retired/v1";
        if (topic == IPartyRegistry.RolesChanged.selector) return "party/roles/v1";
        if (topic == IPartyRegistry.PartyStatusChanged.selector) return "party/status/v1";
        if (topic == IPartyRegistry.Accredited.selector) return "party/accredited/v1";
        if (topic == IAssetRegistry.Registered.selector) return "asset/registered/v1";
        if (topic == IAssetRegistry.Confirmed.selector) return "asset/confirmed/v1";
        if (topic == IAssetRegistry.TransferOffered.selector) return "asset/offered/v1";
        if (topic == IAssetRegistry.TransferAccepted.selector) return "asset/accepted/v1";
        if (topic == IAssetRegistry.TransferRejected.selector) return "asset/rejected/v1";
        if (topic == IAssetRegistry.TransferWithdrawn.selector) return "asset/withdrawn/v1";
        if (topic == IAssetRegistry.Frozen.selector) return "asset/frozen/v1";
        if (topic == IAssetRegistry.Unfrozen.selector) return "asset/unfrozen/v1";
        revert UnknownEvent(topic);
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
