// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {IAssetApplications} from "../../../contracts/interfaces/IAssetApplications.sol";
import {IAssetLiens} from "../../../contracts/interfaces/IAssetLiens.sol";
import {IAssetObjections} from "../../../contracts/interfaces/IAssetObjections.sol";
import {IAssetRights} from "../../../contracts/interfaces/IAssetRights.sol";
import {IAssetTransfers} from "../../../contracts/interfaces/IAssetTransfers.sol";
import {AssetId, NOBODY} from "../../../contracts/Types.sol";
import {AssetGhost} from "./AssetGhost.sol";
import {AssetHandler} from "./AssetHandler.sol";
import {AssetWorld} from "./AssetWorld.sol";

/// Tests the invariants of the asset register; see AssetRegistry.invariant.tree.
contract AssetRegistryInvariants is AssetWorld {
    AssetGhost private _ghost;
    AssetHandler private _handler;

    function setUp() public override {
        super.setUp();
        _ghost = new AssetGhost(address(assets), assets.origin());
        _handler = new AssetHandler(assets, _ghost);
        targetContract(address(_handler));
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 1000
    function invariant_TheAssetMatchesItsEvents() public view {
        AssetId[] memory list = _handler.ids();
        for (uint256 no = 0; no < list.length; ++no) {
            AssetId id = list[no];
            _assertSame(abi.encode(assets.assetOf(id)), abi.encode(_ghost.assetOf(id)));
            _assertSame(abi.encode(assets.rightsOf(id)), abi.encode(_ghost.rightsOf(id)));
            for (uint8 lien = 0; lien < 8; ++lien) {
                _assertSame(abi.encode(assets.lienOf(id, lien)), abi.encode(_ghost.lienOf(id, lien)));
            }
        }
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 1000
    function invariant_TheHeadMatchesTheEventsOfTheAsset() public view {
        AssetId[] memory list = _handler.ids();
        for (uint256 no = 0; no < list.length; ++no) {
            AssetId id = list[no];
            assertEq(assets.headOf(id), _ghost.headOf(id));
        }
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 1000
    function invariant_EveryEventWasAllowedAtItsPlaceInTheHistory() public view {
        assertTrue(bytes(_ghost.wrong()).length == 0, _ghost.wrong());
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 1000
    function invariant_ExclusiveRightsOfOneKindNeverOverlap() public view {
        AssetId[] memory list = _handler.ids();
        for (uint256 no = 0; no < list.length; ++no) {
            IAssetRights.Right[] memory rights = assets.rightsOf(list[no]);
            for (uint256 i = 0; i < rights.length; ++i) {
                for (uint256 j = 0; j < i; ++j) {
                    assertTrue(!_collide(rights[i], rights[j]), "rights overlap");
                }
            }
        }
    }

    /// forge-config: default.invariant.runs = 8
    /// forge-config: default.invariant.depth = 1000
    function invariant_TheLienBitmapMatchesTheOpenLiens() public view {
        AssetId[] memory list = _handler.ids();
        for (uint256 no = 0; no < list.length; ++no) {
            AssetId id = list[no];
            uint256 standing = 0;
            uint256 ranks = 0;
            for (uint8 number = 0; number < 8; ++number) {
                IAssetLiens.Lien memory lien = assets.lienOf(id, number);
                if (lien.creditor == NOBODY) continue;
                standing |= 1 << number;
                assertTrue(ranks & (1 << lien.rank) == 0, "two liens of one rank");
                ranks |= 1 << lien.rank;
                assertTrue(!lien.sole || assets.assetOf(id).liens == 1 << number, "a sole lien is not alone");
            }
            assertEq(assets.assetOf(id).liens, standing);
        }
    }

    /// Checks after each run that enough calls succeeded; otherwise the invariants would prove little.
    function afterInvariant() public view {
        assertTrue(_ghost.seen(IAssetApplications.Confirmed.selector) != 0, "no asset was confirmed");
    }

    /// Checks that every function of the handler can succeed. If all calls were refused, the invariants would prove
    /// nothing.
    function test_TheHandlerCanMakeEveryActSucceed() public {
        bytes4[24] memory acts = _acts();
        uint256 passed = 0;
        for (uint256 i = 0; i < 6000; ++i) {
            bytes32 roll = keccak256(abi.encode(i));
            bytes memory call = abi.encodeWithSelector(acts[uint8(roll[0]) % 24], uint256(roll));
            (bool success,) = address(_handler).call(call);
            if (success) ++passed;
        }
        assertTrue(passed >= 600, "fewer than 600 calls succeeded");
        bytes32[21] memory topics = _topics();
        for (uint256 i = 0; i < topics.length; ++i) {
            assertTrue(_ghost.seen(topics[i]) != 0, "an act never succeeded");
        }
        assertTrue(_ghost.seen(IAssetTransfers.TransferAccepted.selector) >= 5, "fewer than five transfers succeeded");
        invariant_TheAssetMatchesItsEvents();
        invariant_EveryEventWasAllowedAtItsPlaceInTheHistory();
    }

    function _collide(IAssetRights.Right memory a, IAssetRights.Right memory b) private pure returns (bool) {
        if (a.parent != 0 || b.parent != 0 || a.kind != b.kind || !(a.exclusive || b.exclusive)) return false;
        uint40 from = a.from > b.from ? a.from : b.from;
        uint40 to = a.to < b.to ? a.to : b.to;
        return from < to;
    }

    function _assertSame(bytes memory actual, bytes memory expected) private pure {
        assertEq(keccak256(actual), keccak256(expected));
    }

    function _acts() private pure returns (bytes4[24] memory) {
        return [
            AssetHandler.register.selector,
            AssetHandler.file.selector,
            AssetHandler.advance.selector,
            AssetHandler.advanceAgain.selector,
            AssetHandler.reject.selector,
            AssetHandler.confirm.selector,
            AssetHandler.clear.selector,
            AssetHandler.object.selector,
            AssetHandler.decide.selector,
            AssetHandler.freeze.selector,
            AssetHandler.unfreeze.selector,
            AssetHandler.annul.selector,
            AssetHandler.offerTransfer.selector,
            AssetHandler.acceptTransfer.selector,
            AssetHandler.rejectTransfer.selector,
            AssetHandler.withdrawOffer.selector,
            AssetHandler.grant.selector,
            AssetHandler.license.selector,
            AssetHandler.transferRight.selector,
            AssetHandler.endRight.selector,
            AssetHandler.pledge.selector,
            AssetHandler.consentToTransfer.selector,
            AssetHandler.release.selector,
            AssetHandler.pass.selector
        ];
    }

    function _topics() private pure returns (bytes32[21] memory) {
        return [
            IAssetApplications.Registered.selector,
            IAssetApplications.Filed.selector,
            IAssetApplications.Advanced.selector,
            IAssetApplications.Rejected.selector,
            IAssetApplications.Confirmed.selector,
            IAssetApplications.Cleared.selector,
            IAssetObjections.Objected.selector,
            IAssetObjections.ObjectionDecided.selector,
            IAssetTransfers.TransferOffered.selector,
            IAssetTransfers.TransferAccepted.selector,
            IAssetTransfers.TransferRejected.selector,
            IAssetTransfers.TransferWithdrawn.selector,
            IAssetTransfers.Frozen.selector,
            IAssetTransfers.Unfrozen.selector,
            IAssetTransfers.Annulled.selector,
            IAssetRights.RightGranted.selector,
            IAssetRights.RightTransferred.selector,
            IAssetRights.RightEnded.selector,
            IAssetLiens.Pledged.selector,
            IAssetLiens.LienConsented.selector,
            IAssetLiens.LienReleased.selector
        ];
    }
}
