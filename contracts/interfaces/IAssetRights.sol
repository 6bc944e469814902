// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo, RightKind} from "../Types.sol";

/// @title The three rights in an asset: to hold, to process, to operate.
/// @notice Whoever holds the asset has what it has not granted. A grant runs with the asset when that is transferred.
/// An exclusive grant and another grant of the same kind never overlap in time, but for licences under it.
interface IAssetRights {
    /// @param kind Which right.
    /// @param exclusive Whether nobody else has it in the period, the asset's holder included.
    /// @param sublicensable Whether the grantee may license it on.
    /// @param transferable Whether the grantee may pass it on.
    /// @param grantee Who has it.
    /// @param from The first second of the period.
    /// @param to The end of the period: the first second after it.
    /// @param parent The grant under which it is a licence; 0 if the asset's holder granted it.
    struct Right {
        RightKind kind;
        bool exclusive;
        bool sublicensable;
        bool transferable;
        PartyNo grantee;
        uint40 from;
        uint40 to;
        uint16 parent;
    }

    /// @notice A right was granted; `scope` commits to what it covers.
    event RightGranted(
        AssetId indexed id,
        uint16 no,
        RightKind kind,
        bool exclusive,
        bool sublicensable,
        bool transferable,
        PartyNo grantee,
        uint40 from,
        uint40 to,
        uint16 parent,
        bytes32 scope,
        uint40 at,
        PartyNo by
    );
    /// @notice A right was passed on.
    event RightTransferred(AssetId indexed id, uint16 no, PartyNo from, PartyNo to, uint40 at, PartyNo by);
    /// @notice A right ended before its period did, and with it every licence under it.
    event RightEnded(AssetId indexed id, uint16 no, bytes32 grounds, uint40 at, PartyNo by);

    /// @notice The period is empty, begins in the past, or exceeds that of the registration or of the parent.
    error AssetRightPeriod(AssetId id, uint40 from, uint40 to);
    /// @notice An exclusive right of this kind overlaps.
    error AssetRightOverlaps(AssetId id, uint16 no);
    /// @notice The asset has no such right in force, it is not the caller's, or it does not allow this.
    error AssetRightForbids(AssetId id, uint16 no);

    /// @notice Grant a right in a valid, unfrozen, unobjected asset. For its holder, unless it is on offer; with a
    /// parent, for the grantee of that, if it is sublicensable: such a licence is of the same kind, within its period,
    /// and never exclusive.
    /// @return no The right's number, from 1.
    function grant(AssetId id, Right calldata right, bytes32 scope) external returns (uint16 no);

    /// @notice Pass a transferable right on. For its grantee.
    function transferRight(AssetId id, uint16 no, PartyNo to) external;

    /// @notice End a right now. For its grantee; for cause, a registrar that does not hold the asset.
    function endRight(AssetId id, uint16 no, bytes32 grounds) external;

    /// @notice The rights granted in an asset, number 1 first, those ended included.
    function rightsOf(AssetId id) external view returns (Right[] memory rights);
}
