// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo, RightKind} from "../Types.sol";

/// @title The three rights in an asset: to hold, to process, to operate.
/// @notice The holder of the asset has all rights that are not granted to others. When the asset is transferred, the
/// granted rights stay in force. An exclusive right never overlaps in time with another right of the same kind, except
/// with licences under it.
interface IAssetRights {
    /// @param kind The kind of the right.
    /// @param exclusive Whether nobody else has this right in the period, not even the asset's holder.
    /// @param sublicensable Whether the grantee may grant licences under it.
    /// @param transferable Whether the grantee may transfer it.
    /// @param grantee The party that has the right.
    /// @param from The first second of the period.
    /// @param to The first second after the period.
    /// @param parent The number of the right under which it is a licence; 0 if the asset's holder granted it.
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

    /// @notice A right was granted; `scope` is the digest of the terms that say what it covers.
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
    /// @notice A right was transferred to another party.
    event RightTransferred(AssetId indexed id, uint16 no, PartyNo from, PartyNo to, uint40 at, PartyNo by);
    /// @notice A right was ended before the end of its period; all licences under it ended too.
    event RightEnded(AssetId indexed id, uint16 no, bytes32 grounds, uint40 at, PartyNo by);

    /// @notice The period is empty, begins in the past, or exceeds the period of the registration or of the parent.
    error AssetRightPeriod(AssetId id, uint40 from, uint40 to);
    /// @notice The period overlaps with an exclusive right of the same kind.
    error AssetRightOverlaps(AssetId id, uint16 no);
    /// @notice The right is not in force, does not belong to the caller, or does not allow the act.
    error AssetRightForbids(AssetId id, uint16 no);

    /// @notice Grant a right in a valid asset that is not frozen and has no open objection. For the asset's holder,
    /// unless the asset is offered for transfer. With a parent, for the grantee of a sublicensable parent right: the
    /// licence has the parent's kind, lies within its period, and is never exclusive.
    /// @return no The right's number, from 1.
    function grant(AssetId id, Right calldata right, bytes32 scope) external returns (uint16 no);

    /// @notice Transfer a transferable right to another party. For its grantee.
    function transferRight(AssetId id, uint16 no, PartyNo to) external;

    /// @notice End a right now. For its grantee, and with grounds for registrars that do not hold the asset.
    function endRight(AssetId id, uint16 no, bytes32 grounds) external;

    /// @notice Return all rights granted in an asset, from number 1 on, including the rights that ended.
    function rightsOf(AssetId id) external view returns (Right[] memory rights);
}
