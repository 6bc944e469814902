// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../../contracts/CertificateLog.sol";
import {PartyWorld} from "../PartyWorld.sol";

/// A party registry with a certificate log, for tests of attacks.
abstract contract AttackWorld is PartyWorld {
    CertificateLog internal log;

    function setUp() public virtual override {
        super.setUp();
        log = CertificateLog(deploy("CertificateLog", abi.encode(forwarder, registry)));
    }
}
