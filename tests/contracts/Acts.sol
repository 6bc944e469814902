// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ICertificateLog} from "../../contracts/interfaces/ICertificateLog.sol";
import {PartyNo} from "../../contracts/Types.sol";
import {vm} from "./Vm.sol";

/// The messages that parties sign, built word by word from docs/protocol.md, section 3. This library shares no code
/// with the contracts.
library Acts {
    /// The first words of every signed message. `place` is the address of the contract that the message is for.
    struct Frame {
        bytes32 tag;
        bytes32 origin;
        uint256 chain;
        address place;
        address account;
    }

    bytes32 internal constant USES = "log/uses/v2";
    bytes32 internal constant WITHDRAWALS = "log/withdraw/v2";
    bytes32 internal constant KEY = "party/key/v2";
    bytes32 internal constant VETO = "party/veto/v2";
    bytes32 internal constant REPORT = "party/report/v2";

    function uses(Frame memory frame, uint256 deadline, ICertificateLog.Use[] memory list)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes memory words = bytes.concat(bytes32(uint256(32)), bytes32(list.length));
        for (uint256 i = 0; i < list.length; ++i) {
            words = bytes.concat(words, list[i].request, bytes32(uint256(list[i].ordinal)));
        }
        return sha256(bytes.concat(_head(frame), bytes32(deadline), sha256(words)));
    }

    function withdrawals(Frame memory frame, bytes32[] memory list) internal pure returns (bytes32 hash) {
        bytes memory words = bytes.concat(bytes32(uint256(32)), bytes32(list.length));
        for (uint256 i = 0; i < list.length; ++i) {
            words = bytes.concat(words, list[i]);
        }
        return sha256(bytes.concat(_head(frame), sha256(words)));
    }

    function key(Frame memory frame, PartyNo no) internal pure returns (bytes32 hash) {
        return sha256(bytes.concat(_head(frame), bytes32(uint256(PartyNo.unwrap(no)))));
    }

    function veto(Frame memory frame, uint32 no) internal pure returns (bytes32 hash) {
        return sha256(bytes.concat(_head(frame), bytes32(uint256(no))));
    }

    function report(Frame memory frame, address account) internal pure returns (bytes32 hash) {
        return sha256(bytes.concat(_head(frame), _word(account)));
    }

    function _head(Frame memory frame) private pure returns (bytes memory) {
        return bytes.concat(frame.tag, frame.origin, bytes32(frame.chain), _word(frame.place), _word(frame.account));
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}

/// Accounts and signatures, valid and forged, for keys of the two curves that the chain can check.
library Keys {
    uint256 internal constant SECP256K1_N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint256 internal constant P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551;
    uint256 internal constant P256_P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF;

    function p256Account(uint256 key) internal pure returns (address) {
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return p256Account(x, y);
    }

    function p256Account(uint256 x, uint256 y) internal pure returns (address) {
        return address(uint160(uint256(sha256(bytes.concat("ES256", bytes32(x), bytes32(y))))));
    }

    /// Returns a signature of 64 bytes, with a low `s`.
    function secp256k1(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (, bytes32 r, bytes32 s) = vm.sign(key, hash);
        return bytes.concat(r, low(s, SECP256K1_N));
    }

    /// Returns a signature of 128 bytes, with a low `s`.
    function p256(uint256 key, bytes32 hash) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = vm.signP256(key, hash);
        (uint256 x, uint256 y) = vm.publicKeyP256(key);
        return bytes.concat(r, low(s, P256_N), bytes32(x), bytes32(y));
    }

    function low(bytes32 s, uint256 n) internal pure returns (bytes32) {
        return uint256(s) > n / 2 ? bytes32(n - uint256(s)) : s;
    }

    /// Returns a copy of the signature in which `word` replaces the 32-byte word number `at`: 0 is `r`, 1 is `s`, 2 is
    /// `x`, 3 is `y`.
    function with(bytes memory signature, uint256 at, uint256 word) internal pure returns (bytes memory changed) {
        changed = bytes.concat(signature);
        assembly {
            mstore(add(add(changed, 32), mul(32, at)), word)
        }
    }

    function wordOf(bytes memory signature, uint256 at) internal pure returns (uint256 word) {
        assembly {
            word := mload(add(add(signature, 32), mul(32, at)))
        }
    }

    /// Returns the first `length` bytes of a signature; a shorter signature is extended with zeros.
    function first(bytes memory signature, uint256 length) internal pure returns (bytes memory cut) {
        cut = new bytes(length);
        for (uint256 i = 0; i < length && i < signature.length; ++i) {
            cut[i] = signature[i];
        }
    }

    /// Returns forgeries that anybody can make from a valid secp256k1 signature without the key. All of them must be
    /// refused.
    function forgedSecp256k1(bytes memory good) internal pure returns (bytes[] memory forged) {
        uint256 r = wordOf(good, 0);
        uint256 s = wordOf(good, 1);
        forged = new bytes[](13);
        forged[0] = with(good, 1, SECP256K1_N - s);
        forged[1] = with(good, 0, SECP256K1_N - r);
        forged[2] = with(with(good, 0, s), 1, r);
        forged[3] = with(good, 0, 0);
        forged[4] = with(good, 1, 0);
        forged[5] = with(good, 0, SECP256K1_N);
        forged[6] = with(good, 1, SECP256K1_N);
        forged[7] = new bytes(64);
        forged[8] = with(with(good, 0, type(uint256).max), 1, type(uint256).max);
        forged[9] = first(good, 63);
        forged[10] = bytes.concat(good, bytes1(uint8(27)));
        forged[11] = "";
        forged[12] = first(good, 128);
    }

    /// Returns forgeries made from a valid P-256 signature. `other` is a signature by another key over the same hash.
    /// All forgeries must be refused.
    function forgedP256(bytes memory good, bytes memory other) internal pure returns (bytes[] memory forged) {
        uint256 r = wordOf(good, 0);
        uint256 s = wordOf(good, 1);
        forged = new bytes[](17);
        forged[0] = with(good, 1, P256_N - s);
        forged[1] = with(good, 0, P256_N - r);
        forged[2] = with(with(good, 0, s), 1, r);
        forged[3] = with(good, 0, 0);
        forged[4] = with(good, 1, 0);
        forged[5] = with(good, 0, P256_N);
        forged[6] = with(good, 1, P256_N);
        forged[7] = new bytes(128);
        // A key of zeros: the point (0, 0) is not on the curve. It must not be taken for the point at infinity, which
        // has no coordinates.
        forged[8] = with(with(good, 2, 0), 3, 0);
        // Two wrong keys: the other point with the same x coordinate, and a point that is not on the curve.
        forged[9] = with(good, 3, P256_P - wordOf(good, 3));
        forged[10] = with(good, 3, wordOf(good, 3) ^ 1);
        // In this order: `good` with the key of `other`, `other` with the key of `good`, and the whole signature
        // `other`.
        forged[11] = with(with(good, 2, wordOf(other, 2)), 3, wordOf(other, 3));
        forged[12] = with(with(other, 2, wordOf(good, 2)), 3, wordOf(good, 3));
        forged[13] = other;
        forged[14] = first(good, 64);
        forged[15] = first(good, 127);
        forged[16] = bytes.concat(good, bytes1(0));
    }
}
