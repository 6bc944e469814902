// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetRights} from "../../../contracts/interfaces/IAssetRights.sol";
import {
    ApplicationKind,
    AssetId,
    AssetState,
    Grade,
    NOBODY,
    ObjectionState,
    PartyNo,
    PartyStatus,
    Reason,
    RightKind,
    Stage
} from "../../../contracts/Types.sol";
import {AssetWorld} from "./AssetWorld.sol";
import {Refold} from "../Refold.sol";
import {Vm, vm} from "../Vm.sol";

/// An asset registry with an asset in every final state, and functions that cause each obstacle to a transfer.
abstract contract ConfirmedAssetWorld is AssetWorld {
    AssetId internal constant REJECTED = AssetId.wrap("rejected");
    AssetId internal constant CANCELLED = AssetId.wrap("cancelled");
    AssetId internal constant ANNULLED = AssetId.wrap("annulled");
    bytes32 internal constant TERMS = "terms";
    bytes32 internal constant SCOPE = "scope";

    /// Checks that the test emitted events of the asset, and that the head of the asset's hash chain covers exactly
    /// these events.
    modifier folds() {
        bytes32 head = assets.headOf(ASSET);
        vm.recordLogs();
        _;
        bytes32 expected = Refold.over(head, vm.getRecordedLogs(), address(assets), AssetId.unwrap(ASSET));
        assertTrue(expected != head, "the head did not change");
        assertEq(assets.headOf(ASSET), expected);
    }

    /// Registers three assets and ends them as rejected, cancelled and annulled. The clock moves to one second after
    /// the public notice.
    function endAssets() internal {
        AssetId[3] memory ended = [REJECTED, CANCELLED, ANNULLED];
        for (uint256 i = 0; i < ended.length; ++i) {
            by(PROVIDER);
            assets.register(ended[i], "content", AssetId.unwrap(ended[i]), Grade.General);
        }
        advance(REJECTED, Stage.Accepted);
        by(REGISTRAR);
        assets.reject(REJECTED, GROUNDS);
        _noticed(CANCELLED);
        _confirmed(ANNULLED);
        confirm(CANCELLED, VALID_TO);
        file(CANCELLED, ApplicationKind.Cancel);
        _reviewed(CANCELLED);
        confirm(CANCELLED, 0);
        annul(ANNULLED);
    }

    function unconfirmed() internal pure returns (AssetId[5] memory list) {
        return [MISSING, PENDING, REJECTED, CANCELLED, ANNULLED];
    }

    function stateOf(AssetId id) internal view returns (AssetState) {
        return assets.assetOf(id).state;
    }

    function unfreeze(AssetId id) internal {
        by(SUPERVISOR);
        assets.unfreeze(id, Reason.Lifted);
    }

    function decide(uint32 no, ObjectionState state) internal {
        by(REGISTRAR);
        assets.decide(ASSET, no, state, GROUNDS);
    }

    function pledge(PartyNo creditor) internal returns (uint8 lien) {
        by(PROVIDER);
        return assets.pledge(ASSET, creditor, false, TERMS);
    }

    function consent(uint8 lien, PartyNo creditor, PartyNo to) internal {
        by(creditor);
        assets.consentToTransfer(ASSET, lien, to);
    }

    function release(uint8 lien, PartyNo creditor) internal {
        by(creditor);
        assets.release(ASSET, lien);
    }

    function grant(IAssetRights.Right memory right) internal returns (uint16 no) {
        by(PROVIDER);
        return assets.grant(ASSET, right, SCOPE);
    }

    function license(PartyNo grantee, IAssetRights.Right memory right) internal returns (uint16 no) {
        by(grantee);
        return assets.grant(ASSET, right, SCOPE);
    }

    function end(PartyNo party, uint16 no) internal {
        by(party);
        assets.endRight(ASSET, no, GROUNDS);
    }

    /// Returns a right to process that is not exclusive. The consumer is its grantee, and may grant licences under the
    /// right.
    function plain(uint40 from, uint40 to) internal pure returns (IAssetRights.Right memory) {
        return IAssetRights.Right(RightKind.Process, false, true, true, CONSUMER, from, to, 0);
    }

    function exclusive(uint40 from, uint40 to) internal pure returns (IAssetRights.Right memory right) {
        right = plain(from, to);
        right.exclusive = true;
    }

    /// Returns a licence under the right number `parent`; the subject is its grantee.
    function licence(uint16 parent, uint40 from, uint40 to) internal pure returns (IAssetRights.Right memory right) {
        right = plain(from, to);
        (right.grantee, right.parent) = (SUBJECT, parent);
    }

    /// Returns the parties that every function must refuse as a recipient: the party number 0, an unknown party, the
    /// acting party itself, and one party for each status other than active.
    function badRecipients(PartyNo self) internal returns (PartyNo[6] memory list) {
        setStatus(ADMIN, PartyStatus.Suspended);
        setStatus(ISSUER, PartyStatus.Sanctioned);
        setStatus(SUBJECT, PartyStatus.Closed);
        return [NOBODY, PartyNo.wrap(ALL_PARTIES + 1), self, ADMIN, ISSUER, SUBJECT];
    }

    function expectBadRecipient(PartyNo to) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRecord.AssetBadRecipient.selector, ASSET, to));
    }

    function expectForbids(uint16 no) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRights.AssetRightForbids.selector, ASSET, no));
    }

    function expectPeriod(uint40 from, uint40 to) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRights.AssetRightPeriod.selector, ASSET, from, to));
    }

    function expectOverlaps(uint16 no) internal {
        vm.expectRevert(abi.encodeWithSelector(IAssetRights.AssetRightOverlaps.selector, ASSET, no));
    }

    function assertRight(uint16 no, IAssetRights.Right memory right) internal view {
        assertEq(keccak256(abi.encode(assets.rightsOf(ASSET)[no - 1])), keccak256(abi.encode(right)));
    }

    function assertState(AssetId id, AssetState state) internal view {
        assertEq(uint256(stateOf(id)), uint256(state));
    }

    function assertLien(uint8 lien, PartyNo creditor, uint8 rank) internal view {
        assertEq(assets.lienOf(ASSET, lien).creditor, creditor);
        assertEq(assets.lienOf(ASSET, lien).rank, rank);
    }

    function assertNoOffer() internal view {
        assertEq(assets.assetOf(ASSET).offeredTo, NOBODY);
        assertEq(assets.assetOf(ASSET).until, 0);
    }
}
