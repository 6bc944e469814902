// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, ObjectionState, PartyNo} from "../Types.sol";

/// @title Objections: filed → admitted → verified → upheld or dismissed, or refused as inadmissible.
/// @notice While an objection is open, no application for the asset can be confirmed, and the asset cannot be
/// transferred, pledged or licensed.
interface IAssetObjections {
    /// @param objector The party that objects.
    /// @param state The state of the objection.
    /// @param application The number of the application against which the objection was filed; 0 if it was filed
    /// against the registration.
    /// @param filedAt When the objection was filed.
    struct Objection {
        PartyNo objector;
        ObjectionState state;
        uint8 application;
        uint40 filedAt;
    }

    /// @notice A party objected; `grounds` is the digest of its grounds and evidence.
    event Objected(AssetId indexed id, uint32 no, bool toApplication, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An objection was admitted, verified, upheld, dismissed or refused. If an objection against an
    /// application is upheld, the application is rejected. If an objection against the registration is upheld, the
    /// asset is frozen. Then either the registration is corrected and the asset unfrozen, or the registration is
    /// annulled.
    event ObjectionDecided(
        AssetId indexed id, uint32 no, ObjectionState state, bytes32 grounds, uint40 at, PartyNo by
    );

    /// @notice The asset has no such objection, or the objection's state does not allow the decision.
    error AssetWrongObjection(AssetId id, uint32 no, ObjectionState state);
    /// @notice The application is not under public notice.
    error AssetNoticeOver(AssetId id, uint40 until);

    /// @notice Object to an application under public notice, or to a confirmed registration. Subjects, providers,
    /// consumers and brokers may call this, but not the holder.
    /// @return no The objection's number, from 1.
    function object(AssetId id, bytes32 grounds) external returns (uint32 no);

    /// @notice Move an objection to its next state. Registrars that are neither the holder nor the objector may call
    /// this.
    function decide(AssetId id, uint32 no, ObjectionState state, bytes32 grounds) external;

    /// @notice Return an objection; the state is `None` if there is no such objection.
    function objectionOf(AssetId id, uint32 no) external view returns (Objection memory objection);
}
