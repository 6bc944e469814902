// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyStatus} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests that a reported key can withdraw statements but not record uses; see CertificateLog.tree.
contract CertificateLogReportedTest is LogWorld {
    bytes32 private constant CONSENT = "consent";

    function setUp() public override {
        super.setUp();
        address[2] memory keys = [vm.addr(SUBJECT_KEY), Keys.p256Account(SUBJECT_P256)];
        for (uint256 i = 0; i < keys.length; ++i) {
            by(SUBJECT);
            registry.report(SUBJECT, keys[i]);
        }
    }

    function test_withdraw_GivenTheKeyIsReported() public {
        vm.warp(START + 5);
        vm.expectEmit(address(log));
        emit ICertificateLog.Withdrawn(SUBJECT, CONSENT, true, START + 5);
        _withdraw();
        _assertWithdrawn(CONSENT, 0, START + 5);
        vm.warp(START + 6);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyWithdrawn.selector, CONSENT, START + 5));
        _withdraw();
    }

    /// A withdrawal with a reported key and a withdrawal with a key that was not reported are recorded separately,
    /// whichever comes first.
    function test_withdraw_GivenAReportedKeyWithdrewTheStatement() public {
        _withdraw();
        vm.warp(START + 5);
        by(SUBJECT);
        log.withdraw(CONSENT);
        _assertWithdrawn(CONSENT, START + 5, START);
        vm.expectRevert(abi.encodeWithSelector(ICertificateLog.LogAlreadyWithdrawn.selector, CONSENT, START + 5));
        by(SUBJECT);
        log.withdraw(CONSENT);
    }

    function test_withdraw_GivenAKeyThatWasNotReportedWithdrewTheStatement() public {
        by(SUBJECT);
        log.withdraw(CONSENT);
        vm.warp(START + 5);
        _withdraw();
        _assertWithdrawn(CONSENT, START, START + 5);
    }

    function test_withdraw_GivenThePartyOfTheReportedKeyIsClosedAndTheLedgerIsPaused() public {
        setStatus(SUBJECT, PartyStatus.Closed);
        by(SUPERVISOR);
        registry.pause();
        _withdraw();
        _assertWithdrawn(CONSENT, 0, START);
    }

    function test_withdrawFor_GivenTheKeyIsReported() public {
        address account = Keys.p256Account(SUBJECT_P256);
        bytes32[] memory list = statements(1, 2);
        by(SUBJECT);
        log.withdraw(statement(1));
        bytes memory signature = Keys.p256(SUBJECT_P256, Acts.withdrawals(frame(Acts.WITHDRAWALS, account), list));
        vm.warp(START + 5);
        log.withdrawFor(account, list, signature);
        _assertWithdrawn(statement(1), START, START + 5);
        _assertWithdrawn(statement(2), 0, START + 5);
        vm.warp(START + 6);
        log.withdrawFor(account, list, signature);
        _assertWithdrawn(statement(1), START, START + 5);
    }

    function test_recordUse_GivenTheKeyIsReported() public {
        by(CONSUMER);
        registry.report(CONSUMER, accountOf(CONSUMER));
        vm.expectRevert(abi.encodeWithSignature("PartyAccountReported(address,uint40)", accountOf(CONSUMER), START));
        by(CONSUMER);
        log.recordUse("request", 1);
    }

    function _withdraw() private {
        vm.prank(vm.addr(SUBJECT_KEY));
        log.withdraw(CONSENT);
    }

    function _assertWithdrawn(bytes32 one, uint40 expected, uint40 reported) private view {
        (uint40 at, uint40 reportedAt) = log.withdrawnAt(SUBJECT, one);
        assertEq(at, expected);
        assertEq(reportedAt, reported);
    }
}
