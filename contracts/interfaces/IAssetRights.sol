// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, PartyNo, RightKind} from "../Types.sol";

/// @title The three rights in an asset: to hold, to process, to operate.
/// @notice The holder of the asset has all rights that are not granted to others. When the asset is transferred, the
/// granted rights stay in force. An exclusive right never overlaps in time with another right of the same kind, except
/// with licences that its grantee granted.
interface IAssetRights {
    /// @param kind The kind of the right.
    /// @param exclusive Whether nobody else has this right in the period, not even the asset's holder.
    /// @param sublicensable Whether the grantee may grant licences under the right.
    /// @param transferable Whether the grantee may transfer the right.
    /// @param grantee The party that has the right.
    /// @param from The first second of the period.
    /// @param to The first second after the period.
    /// @param parent For a licence, the number of the right under which it was granted; 0 if the asset's holder granted
    /// it.
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

    /// @notice A right was granted; `scope` is the digest of the terms that say what the right covers.
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
    /// @notice A right was ended before the end of its period; all licences granted under the right ended too.
    event RightEnded(AssetId indexed id, uint16 no, bytes32 grounds, uint40 at, PartyNo by);

    /// @notice The period is empty, begins in the past, ends after the registration, or is not within the period of the
    /// parent right.
    error AssetRightPeriod(AssetId id, uint40 from, uint40 to);
    /// @notice The period overlaps with the period of an earlier right of the same kind, and at least one of the two
    /// rights is exclusive.
    error AssetRightOverlaps(AssetId id, uint16 no);
    /// @notice The right is not in force, does not belong to the caller, or does not allow the act.
    error AssetRightForbids(AssetId id, uint16 no);

    /// @notice Grant a right in a valid asset that is not frozen and has no open objection. If the right has no parent,
    /// the asset's holder may call this, unless the asset is offered for transfer. If the right has a parent, the right
    /// is a licence, and the grantee of the parent may call this if the parent is sublicensable. A licence has the kind
    /// of its parent, lies within the parent's period, and is never exclusive.
    /// @return no The right's number, from 1.
    function grant(AssetId id, Right calldata right, bytes32 scope) external returns (uint16 no);

    /// @notice Transfer a transferable right to another party. Only the grantee of the right may call this.
    function transferRight(AssetId id, uint16 no, PartyNo to) external;

    /// @notice End a right now. The grantee of the right may call this. Registrars that do not hold the asset may call
    /// this if they give grounds.
    function endRight(AssetId id, uint16 no, bytes32 grounds) external;

    /// @notice Return all rights granted in an asset, from number 1 on, including the rights that ended.
    function rightsOf(AssetId id) external view returns (Right[] memory rights);
}
