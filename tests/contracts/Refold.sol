// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../contracts/interfaces/IAssetApplications.sol";
import {IAssetLiens} from "../../contracts/interfaces/IAssetLiens.sol";
import {IAssetLineage} from "../../contracts/interfaces/IAssetLineage.sol";
import {IAssetObjections} from "../../contracts/interfaces/IAssetObjections.sol";
import {IAssetRights} from "../../contracts/interfaces/IAssetRights.sol";
import {IAssetTransfers} from "../../contracts/interfaces/IAssetTransfers.sol";
import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {IPartyKeys} from "../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRecord} from "../../contracts/interfaces/IPartyRecord.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {IPauses} from "../../contracts/interfaces/IPauses.sol";
import {IProposals} from "../../contracts/interfaces/IProposals.sol";
import {Vm} from "./Vm.sol";

/// Computes the heads of hash chains from emitted events only, as docs/protocol.md, section 3 defines them. This
/// library shares no code with the contracts.
library Refold {
    error UnknownEvent(bytes32 topic);

    function genesis(bytes32 origin, uint256 chain, address emitter) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes32("pingzheng/head/v2"), origin, bytes32(chain), _word(emitter)));
    }

    function genesis(bytes32 origin, uint256 chain, address emitter, bytes32 scope) internal pure returns (bytes32) {
        return sha256(bytes.concat(bytes32("pingzheng/head/v2"), origin, bytes32(chain), _word(emitter), scope));
    }

    /// Returns the head of the hash chain over all events of one contract.
    function over(bytes32 head, Vm.Log[] memory logs, address emitter) internal pure returns (bytes32) {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter == emitter) head = next(head, logs[i]);
        }
        return head;
    }

    /// Returns the head of the hash chain over the events of one contract whose first indexed field is `scope`.
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
        // In these two events, a field that is not indexed stands between two indexed fields. The digest takes the
        // fields in their declared order, so here the data is split.
        if (
            log.topics[0] == IAssetApplications.Registered.selector
                || log.topics[0] == IAssetLineage.Linked.selector
        ) {
            (bytes32 first, bytes memory rest) = _split(log.data);
            return sha256(bytes.concat(words, log.topics[1], first, log.topics[2], rest));
        }
        if (log.topics[0] == IProposals.Proposed.selector) return _proposed(words, log);
        for (uint256 i = 1; i < log.topics.length; ++i) {
            words = bytes.concat(words, log.topics[i]);
        }
        return sha256(bytes.concat(words, log.data));
    }

    function tagOf(bytes32 topic) internal pure returns (bytes32) {
        if (topic == ICertificateLog.Anchored.selector) return "log/anchored/v2";
        if (topic == ICertificateLog.StatusChanged.selector) return "log/status/v2";
        if (topic == ICertificateLog.Superseded.selector) return "log/superseded/v2";
        if (topic == ICertificateLog.Used.selector) return "log/used/v2";
        if (topic == ICertificateLog.Withdrawn.selector) return "log/withdrawn/v2";
        if (topic == ICertificateLog.Held.selector) return "log/held/v2";
        bytes32 tag = _partyTagOf(topic);
        return tag == 0 ? _assetTagOf(topic) : tag;
    }

    function _partyTagOf(bytes32 topic) private pure returns (bytes32 tag) {
        if (topic == IPartyRecord.PartyRegistered.selector) return "party/registered/v1";
        if (topic == IPartyRecord.AccountBound.selector) return "party/bound/v2";
        if (topic == IPartyKeys.AccountRetired.selector) return "party/retired/v2";
        if (topic == IPartyKeys.AccountReported.selector) return "party/reported/v1";
        if (topic == IPartyKeys.AccountCompromised.selector) return "party/compromised/v1";
        if (topic == IPartyRecord.RolesChanged.selector) return "party/roles/v1";
        if (topic == IPartyRegistry.PartyStatusChanged.selector) return "party/status/v1";
        if (topic == IPartyRegistry.Accredited.selector) return "party/accredited/v1";
        if (topic == IProposals.Proposed.selector) return "party/proposed/v1";
        if (topic == IProposals.Confirmed.selector) return "party/confirmed/v1";
        if (topic == IProposals.ProposalEnded.selector) return "party/ended/v1";
        if (topic == IPauses.Paused.selector) return "party/paused/v1";
        if (topic == IPauses.PauseEnded.selector) return "party/pause-ended/v1";
    }

    function _assetTagOf(bytes32 topic) private pure returns (bytes32) {
        if (topic == IAssetApplications.Registered.selector) return "asset/registered/v1";
        if (topic == IAssetApplications.Filed.selector) return "asset/filed/v1";
        if (topic == IAssetApplications.Advanced.selector) return "asset/advanced/v1";
        if (topic == IAssetApplications.Rejected.selector) return "asset/application-rejected/v1";
        if (topic == IAssetApplications.Confirmed.selector) return "asset/confirmed/v1";
        if (topic == IAssetApplications.Cleared.selector) return "asset/cleared/v1";
        if (topic == IAssetObjections.Objected.selector) return "asset/objected/v1";
        if (topic == IAssetObjections.ObjectionDecided.selector) return "asset/decided/v1";
        if (topic == IAssetTransfers.TransferOffered.selector) return "asset/offered/v1";
        if (topic == IAssetTransfers.TransferAccepted.selector) return "asset/accepted/v1";
        if (topic == IAssetTransfers.TransferRejected.selector) return "asset/rejected/v1";
        if (topic == IAssetTransfers.TransferWithdrawn.selector) return "asset/withdrawn/v1";
        if (topic == IAssetTransfers.Reassigned.selector) return "asset/reassigned/v1";
        if (topic == IAssetTransfers.Frozen.selector) return "asset/frozen/v1";
        if (topic == IAssetTransfers.Unfrozen.selector) return "asset/unfrozen/v1";
        if (topic == IAssetTransfers.Annulled.selector) return "asset/annulled/v1";
        if (topic == IAssetRights.RightGranted.selector) return "asset/right-granted/v1";
        if (topic == IAssetRights.RightTransferred.selector) return "asset/right-transferred/v1";
        if (topic == IAssetRights.RightEnded.selector) return "asset/right-ended/v1";
        if (topic == IAssetLiens.Pledged.selector) return "asset/pledged/v1";
        if (topic == IAssetLiens.LienConsented.selector) return "asset/consented/v1";
        if (topic == IAssetLiens.LienReleased.selector) return "asset/released/v1";
        if (topic == IAssetLineage.Linked.selector) return "asset/linked/v1";
        if (topic == IAssetLineage.Replaced.selector) return "asset/replaced/v1";
        if (topic == IAssetLineage.Assessed.selector) return "asset/assessed/v1";
        revert UnknownEvent(topic);
    }

    /// Returns the digest of a `Proposed` event. The digest covers number, act, role, concerned, ready, at and by, but
    /// not target and call, because `act` is already a digest of these two.
    function _proposed(bytes memory tag, Vm.Log memory log) private pure returns (bytes32) {
        bytes memory data = log.data;
        bytes memory words = bytes.concat(tag, log.topics[1], _wordAt(data, 0), _wordAt(data, 1), log.topics[2]);
        return sha256(bytes.concat(words, _wordAt(data, 2), _wordAt(data, 3), _wordAt(data, 4)));
    }

    function _wordAt(bytes memory data, uint256 place) private pure returns (bytes32 word) {
        assembly {
            word := mload(add(add(data, 32), mul(32, place)))
        }
    }

    /// Splits data into its first 32-byte word and the rest.
    function _split(bytes memory data) private pure returns (bytes32 first, bytes memory rest) {
        rest = new bytes(data.length - 32);
        first = bytes32(data);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = data[i + 32];
        }
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
