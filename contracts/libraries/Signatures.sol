// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// Verifies ES256K and ES256 signatures that are arguments of a call (docs/protocol.md, sections 3 and 4). The
/// signatures of transactions are not verified here.
library Signatures {
    uint256 private constant SECP256K1_BYTES = 64;
    uint256 private constant P256_BYTES = 128;

    /// Returns whether the key of `account` signed `hash`; false for a high `s` and for data that is not a signature.
    function signedBy(address account, bytes32 hash, bytes calldata signature) internal view returns (bool) {
        if (signature.length != SECP256K1_BYTES && signature.length != P256_BYTES) return false;
        bytes32 r = bytes32(signature[:32]);
        bytes32 s = bytes32(signature[32:64]);
        if (signature.length == SECP256K1_BYTES) {
            return _recovers(account, hash, 27, r, s) || _recovers(account, hash, 28, r, s);
        }
        bytes32 x = bytes32(signature[64:96]);
        bytes32 y = bytes32(signature[96:]);
        return account == p256Account(x, y) && P256.verify(hash, r, s, x, y);
    }

    /// Returns whether a signature, which must be valid, was made by a secp256k1 key and not by a P-256 key. The
    /// difference matters because only secp256k1 keys can send transactions.
    function isOfSecp256k1(bytes calldata signature) internal pure returns (bool) {
        return signature.length == SECP256K1_BYTES;
    }

    /// Returns the account of a P-256 key: the last 20 bytes of SHA-256("ES256" ‖ x ‖ y).
    function p256Account(bytes32 x, bytes32 y) internal pure returns (address) {
        return address(uint160(uint256(sha256(abi.encodePacked("ES256", x, y)))));
    }

    /// Returns whether `account` made the signature for this value of `v`. The signature does not contain `v`, so the
    /// caller tries both values.
    function _recovers(address account, bytes32 hash, uint8 v, bytes32 r, bytes32 s) private pure returns (bool) {
        // slither-disable-next-line unused-return: the third value only describes the error, which is not needed
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecover(hash, v, r, s);
        return error == ECDSA.RecoverError.NoError && signer == account;
    }
}
