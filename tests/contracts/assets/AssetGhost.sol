// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetLiens} from "../../../contracts/interfaces/IAssetLiens.sol";
import {IAssetObjections} from "../../../contracts/interfaces/IAssetObjections.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetRights} from "../../../contracts/interfaces/IAssetRights.sol";
import {IAssetTransfers} from "../../../contracts/interfaces/IAssetTransfers.sol";
import {
    ApplicationKind, AssetId, AssetState, Grade, NOBODY, ObjectionState, PartyNo, RightKind, Stage
} from "../../../contracts/Types.sol";
import {Refold} from "../Refold.sol";
import {Vm} from "../Vm.sol";

/// Rebuilds the state of assets from their events only. If an event is not allowed at its place in the history, the
/// reason is stored in `wrong`. This contract shares no code with the contracts that it checks.
contract AssetGhost {
    address private immutable _EMITTER;
    bytes32 private immutable _ORIGIN;

    mapping(bytes32 topic => uint256) public seen;
    mapping(AssetId id => bytes32) public headOf;
    string public wrong;
    mapping(AssetId id => IAssetRecord.Asset) private _assets;
    mapping(AssetId id => mapping(uint256 lien => IAssetLiens.Lien)) private _liens;
    mapping(AssetId id => IAssetRights.Right[]) private _rights;
    /// For each objection, the number of the application that the objection is against; 0 if it is against the
    /// registration.
    mapping(AssetId id => mapping(uint256 no => uint8)) private _against;
    mapping(AssetId id => uint8) private _upheldAgainst;

    constructor(address emitter, bytes32 origin) {
        _EMITTER = emitter;
        _ORIGIN = origin;
    }

    function read(Vm.Log[] memory logs) external {
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != _EMITTER) continue;
            Vm.Log memory log = logs[i];
            AssetId id = AssetId.wrap(log.topics[1]);
            ++seen[log.topics[0]];
            bytes32 head = headOf[id];
            if (head == 0) head = Refold.genesis(_ORIGIN, block.chainid, _EMITTER, log.topics[1]);
            headOf[id] = Refold.next(head, log);
            IAssetRecord.Asset storage asset = _assets[id];
            _readApplication(id, asset, log);
            _readObjection(id, asset, log);
            _readTransfer(id, asset, log);
            _readMeasure(asset, log);
            _readRight(id, asset, log);
            _readLien(id, asset, log);
        }
    }

    function assetOf(AssetId id) external view returns (IAssetRecord.Asset memory) {
        return _assets[id];
    }

    function rightsOf(AssetId id) external view returns (IAssetRights.Right[] memory) {
        return _rights[id];
    }

    function lienOf(AssetId id, uint8 lien) external view returns (IAssetLiens.Lien memory) {
        return _liens[id][lien];
    }

    function _readApplication(AssetId id, IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IAssetApplications.Registered.selector) {
            _must(asset.state == AssetState.None, "registered twice");
            asset.state = AssetState.Applied;
            (asset.kind, asset.stage) = (ApplicationKind.First, Stage.Submitted);
            asset.applications = 1;
            asset.holder = _party(log.topics[2]);
            asset.grade = Grade(_word(log, 3));
            asset.since = uint40(_word(log, 4));
        } else if (topic == IAssetApplications.Filed.selector) {
            ApplicationKind kind = ApplicationKind(_word(log, 0));
            bool again = asset.stage == Stage.Returned && asset.kind == kind;
            _must(again || asset.stage == Stage.None, "a second application was opened");
            _must(again || asset.state == AssetState.Confirmed, "an application was filed for an unregistered asset");
            if (!again) ++asset.applications;
            (asset.kind, asset.stage) = (kind, Stage.Submitted);
            if (uint256(asset.grade) != _word(log, 3)) asset.cleared = false;
            asset.grade = Grade(_word(log, 3));
            (asset.offeredTo, asset.until) = (NOBODY, 0);
        } else if (topic == IAssetApplications.Advanced.selector) {
            _must(asset.stage != Stage.None, "advanced without an application");
            (asset.stage, asset.until) = (Stage(_word(log, 0)), uint40(_word(log, 1)));
        } else if (topic == IAssetApplications.Rejected.selector) {
            _must(asset.stage != Stage.None, "rejected without an application");
            bool upheld = asset.stage != Stage.Noticed || _upheldAgainst[id] == asset.applications;
            _must(upheld, "an objection to another application rejected this one");
            if (asset.kind == ApplicationKind.First) asset.state = AssetState.Rejected;
            _close(asset);
        } else if (topic == IAssetApplications.Confirmed.selector) {
            _must(asset.state <= AssetState.Confirmed, "a final state was left");
            _must(asset.stage == Stage.Reviewed || asset.stage == Stage.Noticed, "confirmed without review");
            _must(asset.objections == 0, "confirmed although an objection was open");
            _must(asset.kind != ApplicationKind.Cancel || asset.liens == 0, "cancelled while pledged");
            bool cancels = asset.kind == ApplicationKind.Cancel;
            asset.state = cancels ? AssetState.Cancelled : AssetState.Confirmed;
            asset.validTo = uint40(_word(log, 1));
            _close(asset);
        } else if (topic == IAssetApplications.Cleared.selector) {
            asset.cleared = true;
        }
    }

    function _readObjection(AssetId id, IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IAssetObjections.Objected.selector) {
            ++asset.objections;
            if (_word(log, 1) != 0) _against[id][_word(log, 0)] = asset.applications;
        } else if (topic == IAssetObjections.ObjectionDecided.selector) {
            ObjectionState state = ObjectionState(_word(log, 1));
            if (state >= ObjectionState.Upheld) --asset.objections;
            uint8 against = _against[id][_word(log, 0)];
            if (state != ObjectionState.Upheld) return;
            if (against != 0) _upheldAgainst[id] = against;
            else if (asset.state == AssetState.Confirmed) asset.frozen = true;
        }
    }

    function _readTransfer(AssetId id, IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IAssetTransfers.TransferOffered.selector) {
            _mustBeMovable(id, asset, _party(log.topics[2]), uint40(_word(log, 1)));
            (asset.offeredTo, asset.until) = (_party(log.topics[2]), uint40(_word(log, 0)));
        } else if (topic == IAssetTransfers.TransferAccepted.selector) {
            PartyNo to = _party(log.topics[3]);
            uint40 at = uint40(_word(log, 0));
            _mustBeMovable(id, asset, to, at);
            _must(asset.offeredTo == to, "a party that is not the offeree accepted the offer");
            _must(at <= asset.until, "a lapsed offer was accepted");
            _must(asset.holder == _party(log.topics[2]), "the transfer came from a party that is not the holder");
            (asset.holder, asset.since) = (to, at);
            (asset.offeredTo, asset.until) = (NOBODY, 0);
        } else if (
            topic == IAssetTransfers.TransferRejected.selector || topic == IAssetTransfers.TransferWithdrawn.selector
        ) {
            _must(asset.offeredTo == _party(log.topics[2]), "there was no such offer");
            (asset.offeredTo, asset.until) = (NOBODY, 0);
        }
    }

    function _readMeasure(IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IAssetTransfers.Frozen.selector || topic == IAssetTransfers.Unfrozen.selector) {
            _must(asset.state <= AssetState.Confirmed, "an event changed an asset in a final state");
            asset.frozen = topic == IAssetTransfers.Frozen.selector;
        } else if (topic == IAssetTransfers.Annulled.selector) {
            _must(asset.state == AssetState.Confirmed, "a final state was left");
            asset.state = AssetState.Annulled;
            asset.offeredTo = NOBODY;
            _close(asset);
        }
    }

    function _readRight(AssetId id, IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        if (topic == IAssetRights.RightGranted.selector) {
            _mustBeFree(asset, uint40(_word(log, 10)));
            bool open = asset.offeredTo != NOBODY && _word(log, 10) <= asset.until;
            _must(_word(log, 8) != 0 || !open, "granted while on offer");
            _rights[id].push(
                IAssetRights.Right(
                    RightKind(_word(log, 1)),
                    _word(log, 2) != 0,
                    _word(log, 3) != 0,
                    _word(log, 4) != 0,
                    _party(bytes32(_word(log, 5))),
                    uint40(_word(log, 6)),
                    uint40(_word(log, 7)),
                    uint16(_word(log, 8))
                )
            );
            _must(_rights[id].length == _word(log, 0), "a right's number was left out");
        } else if (topic == IAssetRights.RightTransferred.selector) {
            IAssetRights.Right storage right = _rights[id][_word(log, 0) - 1];
            _mustBeFree(asset, uint40(_word(log, 3)));
            _must(right.transferable && right.grantee == _party(bytes32(_word(log, 1))), "the right is not transferable");
            right.grantee = _party(bytes32(_word(log, 2)));
        } else if (topic == IAssetRights.RightEnded.selector) {
            IAssetRights.Right storage right = _rights[id][_word(log, 0) - 1];
            uint40 at = uint40(_word(log, 2));
            _must(at < right.to, "a right was ended after its period");
            right.to = at;
            if (right.from > at) right.from = at;
        }
    }

    function _readLien(AssetId id, IAssetRecord.Asset storage asset, Vm.Log memory log) private {
        bytes32 topic = log.topics[0];
        IAssetLiens.Lien storage lien = _liens[id][_word(log, 0)];
        if (topic == IAssetLiens.Pledged.selector) {
            uint40 at = uint40(_word(log, 5));
            _mustBeFree(asset, at);
            _must(lien.creditor == NOBODY, "a new lien took the number of an active lien");
            (lien.creditor, lien.rank) = (_party(bytes32(_word(log, 1))), uint8(_word(log, 2)));
            (lien.sole, lien.since) = (_word(log, 3) != 0, at);
            _must(asset.liens == 0 || !lien.sole, "a sole lien was added beside another lien");
            asset.liens |= uint8(1 << _word(log, 0));
        } else if (topic == IAssetLiens.LienConsented.selector) {
            _must(lien.creditor == _party(bytes32(_word(log, 3))), "a party without the lien consented");
            lien.consentTo = _party(bytes32(_word(log, 1)));
        } else if (topic == IAssetLiens.LienReleased.selector) {
            _must(lien.creditor == _party(bytes32(_word(log, 2))), "a party without the lien released it");
            delete _liens[id][_word(log, 0)];
            asset.liens &= ~uint8(1 << _word(log, 0));
        }
    }

    function _mustBeMovable(AssetId id, IAssetRecord.Asset storage asset, PartyNo to, uint40 at) private {
        _mustBeFree(asset, at);
        _must(asset.stage == Stage.None, "transferred while an application was open");
        for (uint256 lien = 0; lien < 8; ++lien) {
            bool exists = _liens[id][lien].creditor != NOBODY;
            _must(!exists || _liens[id][lien].consentTo == to, "transferred without a creditor's consent");
        }
    }

    function _mustBeFree(IAssetRecord.Asset storage asset, uint40 at) private {
        _must(asset.state == AssetState.Confirmed && at < asset.validTo, "transferred without a valid registration");
        _must(!asset.frozen, "transferred while frozen");
        _must(asset.objections == 0, "transferred while an objection was open");
    }

    function _must(bool condition, string memory what) private {
        if (!condition && bytes(wrong).length == 0) wrong = what;
    }

    function _close(IAssetRecord.Asset storage asset) private {
        (asset.kind, asset.stage, asset.until) = (ApplicationKind.None, Stage.None, 0);
    }

    function _word(Vm.Log memory log, uint256 i) private pure returns (uint256 word) {
        bytes memory data = log.data;
        require(data.length >= (i + 1) * 32, "the event has no such word");
        assembly {
            word := mload(add(data, mul(add(i, 1), 32)))
        }
    }

    function _party(bytes32 word) private pure returns (PartyNo) {
        return PartyNo.wrap(uint32(uint256(word)));
    }
}
