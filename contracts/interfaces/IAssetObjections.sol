// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {AssetId, ObjectionState, PartyNo} from "../Types.sol";

/// @title Objections: filed → admitted → verified → upheld or dismissed; or refused as not admissible.
/// @notice While one is open, neither is an application confirmed nor does the asset move.
interface IAssetObjections {
    /// @param objector The party that objects.
    /// @param state Where the objection stands.
    /// @param application The number of the application that it is against; 0 if against the registration.
    /// @param filedAt When it was filed.
    struct Objection {
        PartyNo objector;
        ObjectionState state;
        uint8 application;
        uint40 filedAt;
    }

    /// @notice A party objected; `grounds` commit to its grounds and evidence.
    event Objected(AssetId indexed id, uint32 no, bool toApplication, bytes32 grounds, uint40 at, PartyNo by);
    /// @notice An objection was admitted, verified, upheld, dismissed or refused. Upheld against an application it
    /// rejects that; upheld against a registration it freezes that: correct it and have the freeze lifted, or annul it.
    event ObjectionDecided(
        AssetId indexed id, uint32 no, ObjectionState state, bytes32 grounds, uint40 at, PartyNo by
    );

    /// @notice The asset has no such objection, or it is not where the decision needs it.
    error AssetWrongObjection(AssetId id, uint32 no, ObjectionState state);
    /// @notice The notice is over, or does not run.
    error AssetNoticeOver(AssetId id, uint40 until);

    /// @notice Object to an application under notice, or to a confirmed registration. For subjects, providers,
    /// consumers and brokers, but not the holder.
    /// @return no The objection's number, from 1.
    function object(AssetId id, bytes32 grounds) external returns (uint32 no);

    /// @notice Move an objection on. For registrars that are neither the holder nor the objector.
    function decide(AssetId id, uint32 no, ObjectionState state, bytes32 grounds) external;

    /// @notice An objection; its state is `None` if there is none.
    function objectionOf(AssetId id, uint32 no) external view returns (Objection memory objection);
}
