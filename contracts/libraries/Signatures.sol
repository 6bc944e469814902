// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";

/// Signatures that accounts make outside of transactions: ES256K and ES256, docs/protocol.md sections 3 and 4.
library Signatures {
    uint256 private constant SECP256K1_BYTES = 64;
    uint256 private constant P256_BYTES = 128;

    /// Whether the key of `account` signed `hash`; false for a high `s`, and for what is no signature at all.
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

    /// Whether a good signature is of a secp256k1 key, which can send transactions.
    function isOfSecp256k1(bytes calldata signature) internal pure returns (bool) {
        return signature.length == SECP256K1_BYTES;
    }

    /// The account of a P-256 key: the last 20 bytes of SHA-256("ES256" ‖ x ‖ y).
    function p256Account(bytes32 x, bytes32 y) internal pure returns (address) {
        return address(uint160(uint256(sha256(abi.encodePacked("ES256", x, y)))));
    }

    /// `r ‖ s` does not say which of two keys signed, so the caller tries both.
    function _recovers(address account, bytes32 hash, uint8 v, bytes32 r, bytes32 s) private pure returns (bool) {
        // slither-disable-next-line unused-return: the third value repeats what was wrong, and the answer is no anyway
        (address signer, ECDSA.RecoverError error,) = ECDSA.tryRecover(hash, v, r, s);
        return error == ECDSA.RecoverError.NoError && signer == account;
    }
}
