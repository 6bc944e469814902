// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyStatus} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests withdrawals that a party signed and a stranger sends; see CertificateLogActs.tree.
contract CertificateLogWithdrawForTest is LogWorld {
    uint256 private constant UNKNOWN_KEY = 0x0C;

    address private _account;
    address private _p256Account;

    function setUp() public override {
        super.setUp();
        _account = vm.addr(SUBJECT_KEY);
        _p256Account = Keys.p256Account(SUBJECT_P256);
    }

    function test_withdrawFor_WhenASecp256k1KeySigned() public {
        bytes memory signature = _signed(statements(1, 2));
        for (uint256 i = 1; i <= 2; ++i) {
            vm.expectEmit(address(log));
            emit ICertificateLog.Withdrawn(SUBJECT, statement(i), false, START);
        }
        _send(_account, statements(1, 2), signature);
        _assertWithdrawn(START, START);
        assertWithdrawn(CONSUMER, statement(1), 0);
    }

    function test_withdrawFor_WhenAP256KeySigned() public {
        _send(_p256Account, statements(1, 2), _signedP256(statements(1, 2)));
        _assertWithdrawn(START, START);
    }

    function testFuzz_withdrawFor_WhenAnybodySendsTheWithdrawal(address sender) public {
        vm.assume(sender != address(forwarder));
        bytes memory signature = _signed(statements(1, 2));
        vm.prank(sender);
        log.withdrawFor(_account, statements(1, 2), signature);
        _assertWithdrawn(START, START);
    }

    function test_withdrawFor_GivenThePartyIsNotActive() public {
        PartyStatus[3] memory statuses = [PartyStatus.Suspended, PartyStatus.Sanctioned, PartyStatus.Closed];
        for (uint256 i = 0; i < statuses.length; ++i) {
            setStatus(SUBJECT, statuses[i]);
            bytes32[] memory list = statements(2 * i, 2 * i + 1);
            _send(_account, list, _signed(list));
            assertWithdrawn(SUBJECT, list[1], START);
        }
    }

    function test_withdrawFor_GivenSomeStatementsWereWithdrawn() public {
        by(SUBJECT);
        log.withdraw(statement(1));
        vm.warp(START + 5);
        _send(_account, statements(1, 2), _signed(statements(1, 2)));
        _assertWithdrawn(START, START + 5);
    }

    function test_withdrawFor_WhenTheWithdrawalIsSentAgain() public {
        bytes memory signature = _signed(statements(1, 2));
        _send(_account, statements(1, 2), signature);
        bytes32 head = log.head();
        vm.warp(START + 5);
        _send(_account, statements(1, 2), signature);
        _assertWithdrawn(START, START);
        assertEq(log.head(), head);
    }

    function test_withdrawFor_WhenAStatementIsNamedTwice() public {
        _send(_account, statements(1, 1), _signed(statements(1, 1)));
        _assertWithdrawn(START, 0);
    }

    function test_withdrawFor_WhenTheListIsEmpty() public {
        bytes32 head = log.head();
        _send(_account, new bytes32[](0), _signed(new bytes32[](0)));
        assertEq(log.head(), head);
    }

    function test_withdrawFor_WhenTheListIsNotTheSignedList() public {
        bytes32[][5] memory lists;
        lists[0] = statements(1, 3);
        lists[1] = statements(2, 1);
        lists[2] = new bytes32[](1);
        lists[2][0] = statement(1);
        lists[3] = new bytes32[](3);
        (lists[3][0], lists[3][1], lists[3][2]) = (statement(1), statement(2), statement(3));
        lists[4] = new bytes32[](0);
        bytes memory signature = _signed(statements(1, 2));
        bytes memory p256 = _signedP256(statements(1, 2));
        for (uint256 i = 0; i < lists.length; ++i) {
            expectSignatureInvalid(_account);
            _send(_account, lists[i], signature);
            expectSignatureInvalid(_p256Account);
            _send(_p256Account, lists[i], p256);
        }
        _assertStillGood(signature);
    }

    function test_withdrawFor_WhenTheAccountIsNotTheSignedAccount() public {
        bytes memory signature = _signed(statements(1, 2));
        address[3] memory others = [accountOf(PROVIDER), accountOf(SUBJECT), _p256Account];
        for (uint256 i = 0; i < others.length; ++i) {
            expectSignatureInvalid(others[i]);
            _send(others[i], statements(1, 2), signature);
        }
        bytes memory p256 = _signedP256(statements(1, 2));
        expectSignatureInvalid(_account);
        _send(_account, statements(1, 2), p256);
        _assertStillGood(signature);
    }

    function test_withdrawFor_WhenAnotherKeySigned() public {
        bytes32 hash = Acts.withdrawals(frame(Acts.WITHDRAWALS, _account), statements(1, 2));
        bytes memory signature = Keys.secp256k1(CONSUMER_KEY, hash);
        expectSignatureInvalid(_account);
        _send(_account, statements(1, 2), signature);
        hash = Acts.withdrawals(frame(Acts.WITHDRAWALS, _p256Account), statements(1, 2));
        signature = Keys.p256(CONSUMER_P256, hash);
        expectSignatureInvalid(_p256Account);
        _send(_p256Account, statements(1, 2), signature);
    }

    function test_withdrawFor_WhenSignedForAnotherAct() public {
        Acts.Frame[5] memory frames;
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(Acts.WITHDRAWALS, _account);
        }
        frames[0].tag = Acts.USES;
        frames[1].origin = bytes32(uint256(frames[1].origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(newLog());
        frames[4].account = accountOf(SUBJECT);
        for (uint256 i = 0; i < frames.length; ++i) {
            bytes memory other = Keys.secp256k1(SUBJECT_KEY, Acts.withdrawals(frames[i], statements(1, 2)));
            expectSignatureInvalid(_account);
            _send(_account, statements(1, 2), other);
        }
        _assertStillGood(_signed(statements(1, 2)));
    }

    function test_withdrawFor_WhenReplayedOnAnotherLedger() public {
        bytes memory signature = _signed(statements(1, 2));
        CertificateLog other = newLog();
        expectSignatureInvalid(_account);
        other.withdrawFor(_account, statements(1, 2), signature);
        vm.chainId(CHAIN + 1);
        expectSignatureInvalid(_account);
        _send(_account, statements(1, 2), signature);
        vm.chainId(CHAIN);
        _assertStillGood(signature);
    }

    function test_withdrawFor_WhenTheSignatureIsForged() public {
        bytes memory signature = _signed(statements(1, 2));
        bytes[] memory forged = Keys.forgedSecp256k1(signature);
        for (uint256 i = 0; i < forged.length; ++i) {
            expectSignatureInvalid(_account);
            _send(_account, statements(1, 2), forged[i]);
        }
        bytes32 hash = Acts.withdrawals(frame(Acts.WITHDRAWALS, _p256Account), statements(1, 2));
        forged = Keys.forgedP256(_signedP256(statements(1, 2)), Keys.p256(CONSUMER_P256, hash));
        for (uint256 i = 0; i < forged.length; ++i) {
            expectSignatureInvalid(_p256Account);
            _send(_p256Account, statements(1, 2), forged[i]);
        }
        _assertStillGood(signature);
    }

    function test_withdrawFor_GivenTheAccountIsUnknown() public {
        address unknown = vm.addr(UNKNOWN_KEY);
        bytes32 hash = Acts.withdrawals(frame(Acts.WITHDRAWALS, unknown), statements(1, 2));
        bytes memory signature = Keys.secp256k1(UNKNOWN_KEY, hash);
        expectUnknownAccount(unknown);
        _send(unknown, statements(1, 2), signature);
        expectUnknownAccount(address(0));
        _send(address(0), statements(1, 2), new bytes(64));
    }

    function test_withdrawFor_GivenTheAccountWasRetired() public {
        retire(SUBJECT, address(0xF5E5), _account);
        bytes memory signature = _signed(statements(1, 2));
        expectUnknownAccount(_account);
        _send(_account, statements(1, 2), signature);
    }

    function _signed(bytes32[] memory list) private view returns (bytes memory) {
        return Keys.secp256k1(SUBJECT_KEY, Acts.withdrawals(frame(Acts.WITHDRAWALS, _account), list));
    }

    function _signedP256(bytes32[] memory list) private view returns (bytes memory) {
        return Keys.p256(SUBJECT_P256, Acts.withdrawals(frame(Acts.WITHDRAWALS, _p256Account), list));
    }

    function _send(address account, bytes32[] memory list, bytes memory signature) private {
        vm.prank(STRANGER);
        log.withdrawFor(account, list, signature);
    }

    /// Called after a test changed one part of a signed call, and the changed call was refused. Checks that nothing was
    /// withdrawn, and that the unchanged call succeeds, so the change was the only reason for the refusal.
    function _assertStillGood(bytes memory signature) private {
        _assertWithdrawn(0, 0);
        _send(_account, statements(1, 2), signature);
        _assertWithdrawn(START, START);
    }

    function _assertWithdrawn(uint40 first, uint40 second) private view {
        assertWithdrawn(SUBJECT, statement(1), first);
        assertWithdrawn(SUBJECT, statement(2), second);
    }
}
