// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {CertificateLog} from "../../../contracts/CertificateLog.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {PartyNo, PartyStatus, Roles} from "../../../contracts/Types.sol";
import {Acts, Keys} from "../Acts.sol";
import {LogWorld} from "./LogWorld.sol";
import {vm} from "../Vm.sol";

/// Tests uses that a consumer signed and a stranger sends; see CertificateLogActs.tree.
contract CertificateLogUsesForTest is LogWorld {
    uint40 private constant DEADLINE = START + 60;
    uint256 private constant USES_SLOT = 2;
    uint256 private constant UNKNOWN_KEY = 0x0C;

    address private _account;
    address private _p256Account;

    function setUp() public override {
        super.setUp();
        _account = vm.addr(CONSUMER_KEY);
        _p256Account = Keys.p256Account(CONSUMER_P256);
    }

    function test_recordUsesFor_WhenASecp256k1KeySigned() public {
        ICertificateLog.Use[] memory uses = _uses(1, 2);
        bytes memory signature = _signed(uses);
        for (uint256 i = 0; i < uses.length; ++i) {
            vm.expectEmit(address(log));
            emit ICertificateLog.Used(CONSUMER, uses[i].request, uses[i].ordinal, START);
        }
        assertEq(_send(_account, uses, DEADLINE, signature), 3);
        _assertUses(2, 1);
    }

    function test_recordUsesFor_WhenAP256KeySigned() public {
        assertEq(_send(_p256Account, _uses(1, 2), DEADLINE, _signedP256(_uses(1, 2))), 3);
        _assertUses(2, 1);
    }

    function testFuzz_recordUsesFor_WhenAnybodySendsTheUses(address sender) public {
        vm.assume(sender != address(forwarder));
        bytes memory signature = _signed(_uses(1, 2));
        vm.prank(sender);
        assertEq(log.recordUsesFor(_account, _uses(1, 2), DEADLINE, signature), 3);
        _assertUses(2, 1);
        assertEq(log.usesOf(OTHER_CONSUMER, statement(1)), 0);
    }

    function test_recordUsesFor_WhenTheListIsEmpty() public {
        bytes32 head = log.head();
        ICertificateLog.Use[] memory none = new ICertificateLog.Use[](0);
        assertEq(_send(_account, none, DEADLINE, _signed(none)), 0);
        assertEq(log.head(), head);
    }

    function test_recordUsesFor_WhenTheUsesAreSentAgain() public {
        ICertificateLog.Use[] memory uses = _uses(1, 2);
        bytes memory signature = _signed(uses);
        _send(_account, uses, DEADLINE, signature);
        bytes32 head = log.head();
        assertEq(_send(_account, uses, DEADLINE, signature), 0);
        _assertUses(2, 1);
        assertEq(log.head(), head);
    }

    function test_recordUsesFor_WhenSomeUsesAreOutdated() public {
        by(CONSUMER);
        log.recordUse(statement(1), 1);
        vm.expectEmit(address(log));
        emit ICertificateLog.Used(CONSUMER, statement(2), 1, START);
        assertEq(_send(_account, _uses(1, 2), DEADLINE, _signed(_uses(1, 2))), 2);
        _assertUses(2, 1);
    }

    function testFuzz_recordUsesFor_WhenOneUseDoesNotHaveTheNextOrdinal(uint16 ordinal) public {
        vm.assume(ordinal != 2);
        assertEq(_send(_account, _uses(1, ordinal), DEADLINE, _signed(_uses(1, ordinal))), 2);
        _assertUses(1, 1);
    }

    function test_recordUsesFor_GivenTheMaximumNumberOfUsesIsReached() public {
        bytes32 ofConsumer = keccak256(abi.encode(CONSUMER, USES_SLOT));
        vm.store(address(log), keccak256(abi.encode(statement(1), ofConsumer)), bytes32(uint256(type(uint16).max)));
        assertEq(_send(_account, _uses(0, type(uint16).max), DEADLINE, _signed(_uses(0, type(uint16).max))), 1);
        _assertUses(type(uint16).max, 1);
    }

    function test_recordUsesFor_WhenAtTheDeadline() public {
        bytes memory signature = _signed(_uses(1, 2));
        vm.warp(DEADLINE);
        assertEq(_send(_account, _uses(1, 2), DEADLINE, signature), 3);
    }

    function test_recordUsesFor_WhenAfterTheDeadline() public {
        bytes memory signature = _signed(_uses(1, 2));
        vm.warp(DEADLINE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ICertificateLog.LogSignatureExpired.selector, DEADLINE, DEADLINE + 1)
        );
        _send(_account, _uses(1, 2), DEADLINE, signature);
        _assertUses(0, 0);
    }

    function test_recordUsesFor_WhenTheDeadlineIsNotTheSignedDeadline() public {
        bytes memory signature = _signed(_uses(1, 2));
        expectSignatureInvalid(_account);
        _send(_account, _uses(1, 2), DEADLINE + 1, signature);
        _assertStillGood(signature);
    }

    function test_recordUsesFor_WhenTheListIsNotTheSignedList() public {
        ICertificateLog.Use[][6] memory lists;
        lists[0] = _uses(1, 3);
        lists[1] = _uses(1, 2);
        lists[1][1].request = statement(3);
        // Three lists are not the signed list of three uses: one has only the first two uses, one has a fourth use, and
        // one has the three uses in another order.
        lists[2] = _first(_uses(1, 2), 2);
        lists[3] = _first(_uses(1, 2), 4);
        lists[4] = _uses(1, 2);
        (lists[4][0], lists[4][1]) = (lists[4][1], lists[4][0]);
        lists[5] = new ICertificateLog.Use[](0);
        bytes memory signature = _signed(_uses(1, 2));
        bytes memory p256 = _signedP256(_uses(1, 2));
        for (uint256 i = 0; i < lists.length; ++i) {
            expectSignatureInvalid(_account);
            _send(_account, lists[i], DEADLINE, signature);
            expectSignatureInvalid(_p256Account);
            _send(_p256Account, lists[i], DEADLINE, p256);
        }
        _assertStillGood(signature);
    }

    function test_recordUsesFor_WhenTheAccountIsNotTheSignedAccount() public {
        bytes memory signature = _signed(_uses(1, 2));
        // The wrong accounts: an account of another party, another account of the signing party, and the signing
        // party's account with a P-256 key.
        address[3] memory others = [accountOf(OTHER_CONSUMER), accountOf(CONSUMER), _p256Account];
        for (uint256 i = 0; i < others.length; ++i) {
            expectSignatureInvalid(others[i]);
            _send(others[i], _uses(1, 2), DEADLINE, signature);
        }
        bytes memory p256 = _signedP256(_uses(1, 2));
        expectSignatureInvalid(_account);
        _send(_account, _uses(1, 2), DEADLINE, p256);
        _assertStillGood(signature);
    }

    function test_recordUsesFor_WhenAnotherKeySigned() public {
        bytes32 hash = Acts.uses(frame(Acts.USES, _account), DEADLINE, _uses(1, 2));
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, hash);
        expectSignatureInvalid(_account);
        _send(_account, _uses(1, 2), DEADLINE, signature);
        hash = Acts.uses(frame(Acts.USES, _p256Account), DEADLINE, _uses(1, 2));
        signature = Keys.p256(SUBJECT_P256, hash);
        expectSignatureInvalid(_p256Account);
        _send(_p256Account, _uses(1, 2), DEADLINE, signature);
    }

    function test_recordUsesFor_WhenSignedForAnotherAct() public {
        Acts.Frame[5] memory frames;
        for (uint256 i = 0; i < frames.length; ++i) {
            frames[i] = frame(Acts.USES, _account);
        }
        frames[0].tag = Acts.WITHDRAWALS;
        frames[1].origin = bytes32(uint256(frames[1].origin) ^ 1);
        frames[2].chain += 1;
        frames[3].place = address(newLog());
        frames[4].account = accountOf(CONSUMER);
        for (uint256 i = 0; i < frames.length; ++i) {
            bytes memory other = Keys.secp256k1(CONSUMER_KEY, Acts.uses(frames[i], DEADLINE, _uses(1, 2)));
            expectSignatureInvalid(_account);
            _send(_account, _uses(1, 2), DEADLINE, other);
        }
        _assertStillGood(_signed(_uses(1, 2)));
    }

    function test_recordUsesFor_WhenReplayedOnAnotherLedger() public {
        bytes memory signature = _signed(_uses(1, 2));
        CertificateLog other = newLog();
        expectSignatureInvalid(_account);
        other.recordUsesFor(_account, _uses(1, 2), DEADLINE, signature);
        vm.chainId(CHAIN + 1);
        expectSignatureInvalid(_account);
        _send(_account, _uses(1, 2), DEADLINE, signature);
        vm.chainId(CHAIN);
        _assertStillGood(signature);
    }

    /// The consumer signs the right message, but does not hash it as the protocol defines: it hashes the message like
    /// an entry, a transaction or an Ethereum message.
    function test_recordUsesFor_WhenSignedInAnotherForm() public {
        bytes32 hash = Acts.uses(frame(Acts.USES, _account), DEADLINE, _uses(1, 2));
        bytes32[3] memory others = [
            sha256(bytes.concat(hash)),
            keccak256(bytes.concat(hash)),
            keccak256(bytes.concat("\x19Ethereum Signed Message:\n32", hash))
        ];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory signature = Keys.secp256k1(CONSUMER_KEY, others[i]);
            expectSignatureInvalid(_account);
            _send(_account, _uses(1, 2), DEADLINE, signature);
        }
    }

    function test_recordUsesFor_WhenTheSignatureIsForged() public {
        bytes memory signature = _signed(_uses(1, 2));
        bytes[] memory forged = Keys.forgedSecp256k1(signature);
        for (uint256 i = 0; i < forged.length; ++i) {
            expectSignatureInvalid(_account);
            _send(_account, _uses(1, 2), DEADLINE, forged[i]);
        }
        bytes32 hash = Acts.uses(frame(Acts.USES, _p256Account), DEADLINE, _uses(1, 2));
        forged = Keys.forgedP256(_signedP256(_uses(1, 2)), Keys.p256(SUBJECT_P256, hash));
        for (uint256 i = 0; i < forged.length; ++i) {
            expectSignatureInvalid(_p256Account);
            _send(_p256Account, _uses(1, 2), DEADLINE, forged[i]);
        }
        _assertStillGood(signature);
    }

    function test_recordUsesFor_GivenTheAccountIsUnknown() public {
        address unknown = vm.addr(UNKNOWN_KEY);
        bytes32 hash = Acts.uses(frame(Acts.USES, unknown), DEADLINE, _uses(1, 2));
        bytes memory signature = Keys.secp256k1(UNKNOWN_KEY, hash);
        expectUnknownAccount(unknown);
        _send(unknown, _uses(1, 2), DEADLINE, signature);
        expectUnknownAccount(address(0));
        _send(address(0), _uses(1, 2), DEADLINE, new bytes(64));
    }

    function test_recordUsesFor_GivenTheAccountWasRetired() public {
        retire(CONSUMER, address(0xF5E5), _account);
        bytes memory signature = _signed(_uses(1, 2));
        expectUnknownAccount(_account);
        _send(_account, _uses(1, 2), DEADLINE, signature);
    }

    function test_recordUsesFor_GivenThePartyIsNotActive() public {
        setStatus(CONSUMER, PartyStatus.Sanctioned);
        bytes memory signature = _signed(_uses(1, 2));
        expectNotActive(CONSUMER, PartyStatus.Sanctioned);
        _send(_account, _uses(1, 2), DEADLINE, signature);
    }

    function test_recordUsesFor_GivenThePartyIsNotAConsumer() public {
        address account = vm.addr(SUBJECT_KEY);
        bytes32 hash = Acts.uses(frame(Acts.USES, account), DEADLINE, _uses(1, 2));
        bytes memory signature = Keys.secp256k1(SUBJECT_KEY, hash);
        expectLacksRole(SUBJECT, Roles.CONSUMER);
        // The sender's role does not matter, only the role of the party that signed.
        by(CONSUMER);
        log.recordUsesFor(account, _uses(1, 2), DEADLINE, signature);
    }

    /// Returns three uses: two under one request, and one under another request.
    function _uses(uint16 first, uint16 second) private pure returns (ICertificateLog.Use[] memory uses) {
        uses = new ICertificateLog.Use[](3);
        uses[0] = ICertificateLog.Use(statement(1), first);
        uses[1] = ICertificateLog.Use(statement(2), 1);
        uses[2] = ICertificateLog.Use(statement(1), second);
    }

    /// Returns a list of `length` uses. They are copied from the given list; if that list is too short, the rest are
    /// uses under new requests.
    function _first(ICertificateLog.Use[] memory uses, uint256 length)
        private
        pure
        returns (ICertificateLog.Use[] memory cut)
    {
        cut = new ICertificateLog.Use[](length);
        for (uint256 i = 0; i < length; ++i) {
            cut[i] = i < uses.length ? uses[i] : ICertificateLog.Use(statement(9), 1);
        }
    }

    function _signed(ICertificateLog.Use[] memory uses) private view returns (bytes memory) {
        return Keys.secp256k1(CONSUMER_KEY, Acts.uses(frame(Acts.USES, _account), DEADLINE, uses));
    }

    function _signedP256(ICertificateLog.Use[] memory uses) private view returns (bytes memory) {
        return Keys.p256(CONSUMER_P256, Acts.uses(frame(Acts.USES, _p256Account), DEADLINE, uses));
    }

    function _send(address account, ICertificateLog.Use[] memory uses, uint40 deadline, bytes memory signature)
        private
        returns (uint256)
    {
        vm.prank(STRANGER);
        return log.recordUsesFor(account, uses, deadline, signature);
    }

    /// Called after a test changed one part of a signed call, and the changed call was refused. Checks that no use was
    /// counted, and that the unchanged call succeeds, so the change was the only reason for the refusal.
    function _assertStillGood(bytes memory signature) private {
        _assertUses(0, 0);
        assertEq(_send(_account, _uses(1, 2), DEADLINE, signature), 3);
    }

    function _assertUses(uint16 first, uint16 second) private view {
        assertEq(log.usesOf(CONSUMER, statement(1)), first);
        assertEq(log.usesOf(CONSUMER, statement(2)), second);
    }
}
