// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetRegistry} from "../../../contracts/AssetRegistry.sol";
import {IAssetRecord} from "../../../contracts/interfaces/IAssetRecord.sol";
import {IAssetRights} from "../../../contracts/interfaces/IAssetRights.sol";
import {
    ApplicationKind, AssetId, AssetState, Grade, ObjectionState, PartyNo, Reason, RightKind, Stage
} from "../../../contracts/Types.sol";
import {AssetGhost} from "./AssetGhost.sol";
import {vm} from "../Vm.sol";

/// Makes random calls about a few assets. Usually the call is possible and its sender is entitled to it; sometimes call
/// and sender are arbitrary. A refused call changes nothing in this contract.
contract AssetHandler {
    enum Want {
        Any,
        Returned,
        UnderApplication,
        Idle,
        Objected,
        Frozen,
        Offered,
        Pledged
    }

    uint256 private constant PLACES = 3;
    uint256 private constant PARTIES = 12;
    /// The maximum number of rights in one asset. It is large enough that rights overlap, and small enough to compare
    /// all pairs of rights.
    uint256 private constant MOST_RIGHTS = 16;
    uint40 private constant NOTICE = 100;
    PartyNo private constant SUPERVISOR = PartyNo.wrap(3);
    PartyNo private constant REGISTRAR = PartyNo.wrap(5);

    AssetRegistry private immutable _ASSETS;
    AssetGhost private immutable _GHOST;
    uint256 private _seed;
    /// All assets registered so far. There are `PLACES` places, and each asset has one of them. Only the newest asset
    /// of a place can be active; the earlier assets of that place have ended.
    AssetId[] private _ids;
    mapping(uint256 place => AssetId) private _current;

    constructor(AssetRegistry assets, AssetGhost ghost) {
        _ASSETS = assets;
        _GHOST = ghost;
    }

    modifier rolls(uint256 seed) {
        _seed = uint256(keccak256(abi.encode(seed, vm.getBlockTimestamp())));
        vm.recordLogs();
        _;
        _GHOST.read(vm.getRecordedLogs());
    }

    function register(uint256 seed) external rolls(seed) {
        uint256 place = _pick(PLACES);
        AssetId id = _current[place];
        // If the asset at this place has ended, register a new asset with the same content there.
        AssetState state = _ASSETS.assetOf(id).state;
        if (state == AssetState.None || state > AssetState.Confirmed) {
            id = AssetId.wrap(bytes32(1 + _ids.length));
            _ids.push(id);
            _current[place] = id;
        }
        Grade grade = Grade(_pick(10) == 0 ? 1 : 0);
        _as(_trader());
        _ASSETS.register(id, "content", bytes32(1 + place), grade);
    }

    function file(uint256 seed) external rolls(seed) {
        AssetId id = _asset(_pick(3) == 0 ? Want.Idle : Want.Returned);
        IAssetRecord.Asset memory asset = _ASSETS.assetOf(id);
        ApplicationKind kind = asset.kind;
        bool ends = _now() >= asset.validTo || _pick(12) == 0;
        if (asset.stage != Stage.Returned) kind = ApplicationKind(ends ? 5 : 2 + _pick(3));
        _as(asset.holder);
        _ASSETS.file(id, kind, "content", 0, asset.grade);
    }

    function advance(uint256 seed) external rolls(seed) {
        _advance();
    }

    /// Does the same as `advance`. The test runner calls every function equally often, so applications advance twice as
    /// often and more assets become confirmed. On an asset that is not confirmed, few acts are possible.
    function advanceAgain(uint256 seed) external rolls(seed) {
        _advance();
    }

    function reject(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.UnderApplication);
        bytes32 grounds = _pick(6) == 0 ? bytes32("grounds") : bytes32(0);
        _as(REGISTRAR);
        _ASSETS.reject(id, grounds);
    }

    function confirm(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.UnderApplication);
        IAssetRecord.Asset memory asset = _ASSETS.assetOf(id);
        bool prolongs = asset.kind == ApplicationKind.First || asset.kind == ApplicationKind.Renew;
        uint256 validTo = 0;
        if (prolongs) validTo = (asset.validTo < _now() ? _now() : asset.validTo) + 2000 + _pick(8000);
        _as(REGISTRAR);
        _ASSETS.confirm(id, uint40(validTo));
    }

    function clear(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Any);
        _as(SUPERVISOR);
        _ASSETS.clear(id, "report");
    }

    function object(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Any);
        _as(_trader());
        _ASSETS.object(id, _pick(5) == 0 ? bytes32("grounds") : bytes32(0));
    }

    function decide(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Objected);
        uint32 no = _openObjection(id);
        ObjectionState state = _ASSETS.objectionOf(id, no).state;
        ObjectionState next = ObjectionState.Verified;
        if (state == ObjectionState.Filed) next = _pick(2) == 0 ? ObjectionState.Refused : ObjectionState.Admitted;
        if (state == ObjectionState.Verified) {
            next = _pick(2) == 0 ? ObjectionState.Upheld : ObjectionState.Dismissed;
        }
        _as(REGISTRAR);
        _ASSETS.decide(id, no, next, "grounds");
    }

    function freeze(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Any);
        _as(_pick(4) == 0 ? SUPERVISOR : REGISTRAR);
        _ASSETS.freeze(id, Reason.Court);
    }

    function unfreeze(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Frozen);
        _as(SUPERVISOR);
        _ASSETS.unfreeze(id, Reason.Lifted);
    }

    function annul(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Any);
        bytes32 grounds = _pick(20) == 0 ? bytes32("grounds") : bytes32(0);
        _as(SUPERVISOR);
        _ASSETS.annul(id, Reason.Fraud, grounds);
    }

    function offerTransfer(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Idle);
        PartyNo holder = _ASSETS.assetOf(id).holder;
        PartyNo to = _consented(id);
        uint256 deadline = _now() + _pick(600);
        _as(holder);
        _ASSETS.offerTransfer(id, to, uint40(deadline));
    }

    function acceptTransfer(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Offered);
        _as(_ASSETS.assetOf(id).offeredTo);
        _ASSETS.acceptTransfer(id);
    }

    function rejectTransfer(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Offered);
        _as(_pick(2) == 0 ? _ASSETS.assetOf(id).offeredTo : REGISTRAR);
        _ASSETS.rejectTransfer(id);
    }

    function withdrawOffer(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Offered);
        _as(_pick(2) == 0 ? _ASSETS.assetOf(id).holder : REGISTRAR);
        _ASSETS.withdrawOffer(id);
    }

    function grant(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Idle);
        IAssetRecord.Asset memory asset = _ASSETS.assetOf(id);
        require(_ASSETS.rightsOf(id).length < MOST_RIGHTS, "the asset has the most rights");
        uint256 from = _now() + _pick(200);
        IAssetRights.Right memory right = _right(from, from + 1 + _pick(200));
        right.exclusive = _pick(2) == 0;
        _as(asset.holder);
        _ASSETS.grant(id, right, "scope");
    }

    function license(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Idle);
        (uint16 no, IAssetRights.Right memory parent) = _granted(id);
        uint256 from = parent.from > _now() ? parent.from : _now();
        IAssetRights.Right memory right = _right(from, parent.to);
        (right.kind, right.parent, right.exclusive) = (parent.kind, no, _pick(8) == 0);
        _as(parent.grantee);
        _ASSETS.grant(id, right, "scope");
    }

    function transferRight(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Idle);
        (uint16 no, IAssetRights.Right memory right) = _granted(id);
        PartyNo to = _trader();
        _as(right.grantee);
        _ASSETS.transferRight(id, no, to);
    }

    function endRight(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Any);
        (uint16 no, IAssetRights.Right memory right) = _granted(id);
        _as(_pick(3) == 0 ? REGISTRAR : right.grantee);
        _ASSETS.endRight(id, no, "grounds");
    }

    function pledge(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Idle);
        PartyNo holder = _ASSETS.assetOf(id).holder;
        PartyNo creditor = _trader();
        bool sole = _pick(6) == 0;
        _as(holder);
        _ASSETS.pledge(id, creditor, sole, "terms");
    }

    function consentToTransfer(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Pledged);
        uint8 lien = _lien(id);
        PartyNo to = _pick(4) == 0 ? _trader() : _consented(id);
        _as(_ASSETS.lienOf(id, lien).creditor);
        _ASSETS.consentToTransfer(id, lien, to);
    }

    function release(uint256 seed) external rolls(seed) {
        AssetId id = _asset(Want.Pledged);
        uint8 lien = _lien(id);
        _as(_ASSETS.lienOf(id, lien).creditor);
        _ASSETS.release(id, lien);
    }

    function pass(uint256 seed) external rolls(seed) {
        vm.warp(_now() + _pick(240));
    }

    function ids() external view returns (AssetId[] memory) {
        return _ids;
    }

    function _advance() private {
        AssetId id = _asset(Want.UnderApplication);
        AssetId[] memory list = new AssetId[](1);
        list[0] = id;
        Stage next = Stage(uint8(_ASSETS.assetOf(id).stage) + 1);
        if (_pick(10) == 0) next = Stage.Returned;
        uint256 until = next == Stage.Noticed ? _now() + NOTICE : 0;
        _as(REGISTRAR);
        _ASSETS.advance(list, next, uint40(until), "grounds");
    }

    function _right(uint256 from, uint256 to) private returns (IAssetRights.Right memory right) {
        right.kind = RightKind(_pick(3));
        (right.sublicensable, right.transferable) = (_pick(4) != 0, _pick(4) != 0);
        (right.grantee, right.from, right.to) = (_trader(), uint40(from), uint40(to));
    }

    function _granted(AssetId id) private returns (uint16 no, IAssetRights.Right memory right) {
        IAssetRights.Right[] memory rights = _ASSETS.rightsOf(id);
        require(rights.length != 0, "the asset has no rights");
        no = uint16(1 + _pick(rights.length));
        right = rights[no - 1];
    }

    function _openObjection(AssetId id) private returns (uint32 no) {
        no = uint32(1 + _pick(4));
        for (uint32 i = 1; _ASSETS.objectionOf(id, i).state != ObjectionState.None; ++i) {
            if (_ASSETS.objectionOf(id, i).state <= ObjectionState.Verified) return i;
        }
    }

    /// Returns a party to which a creditor has consented to a transfer. If there is none, returns any party.
    function _consented(AssetId id) private returns (PartyNo to) {
        to = _trader();
        for (uint8 lien = 0; lien < 8; ++lien) {
            PartyNo consent = _ASSETS.lienOf(id, lien).consentTo;
            if (PartyNo.unwrap(consent) != 0) return consent;
        }
    }

    /// Returns the number of a lien, usually of an existing one.
    function _lien(AssetId id) private returns (uint8 lien) {
        lien = uint8(_pick(8));
        uint8 standing = _ASSETS.assetOf(id).liens;
        for (uint8 i = 0; i < 8; ++i) {
            if (standing & (1 << (lien + i) % 8) != 0) return (lien + i) % 8;
        }
    }

    /// Makes `party` the sender of the next call; in one of eight cases, any party instead.
    function _as(PartyNo party) private {
        uint256 no = _pick(8) == 0 ? 1 + _pick(PARTIES) : PartyNo.unwrap(party);
        vm.prank(address(uint160(0x1000 + no)));
    }

    /// Returns an asset, usually one in the state that the act needs.
    function _asset(Want want) private returns (AssetId id) {
        if (_ids.length != 0 && _pick(16) == 0) return _ids[_pick(_ids.length)];
        uint256 first = _pick(PLACES);
        for (uint256 i = 0; i < PLACES; ++i) {
            id = _current[(first + i) % PLACES];
            if (_is(want, _ASSETS.assetOf(id))) return id;
        }
    }

    function _is(Want want, IAssetRecord.Asset memory asset) private pure returns (bool) {
        if (want == Want.UnderApplication) return asset.stage != Stage.None && asset.stage != Stage.Returned;
        if (want == Want.Returned) return asset.stage == Stage.Returned;
        if (want == Want.Objected) return asset.objections != 0;
        if (want == Want.Frozen) return asset.frozen && asset.state == AssetState.Confirmed;
        if (want == Want.Offered) return PartyNo.unwrap(asset.offeredTo) != 0;
        if (want == Want.Pledged) return asset.liens != 0;
        return want == Want.Any || (asset.state == AssetState.Confirmed && asset.stage == Stage.None);
    }

    /// Returns one of four parties: the provider, the consumer, the subject or the bank.
    function _trader() private returns (PartyNo) {
        return PartyNo.wrap(uint32([6, 7, 8, 11][_pick(4)]));
    }

    function _now() private view returns (uint256) {
        return vm.getBlockTimestamp();
    }

    function _pick(uint256 count) private returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % count;
    }
}
