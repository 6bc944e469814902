// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {P256} from "@openzeppelin/contracts/utils/cryptography/P256.sol";
import {ICertificateLog} from "../../../contracts/interfaces/ICertificateLog.sol";
import {Acts, Keys} from "../Acts.sol";
import {vm} from "../Vm.sol";
import {World} from "../World.sol";

/// Tests the verification of signatures. The signatures over fixed hashes were made with Python's `cryptography` 50;
/// see Signatures.tree.
contract SignaturesTest is World {
    /// SHA-256 of "pingzheng".
    bytes32 private constant HASH = 0x63d03fcffae2739319afcf0f6744f80b78755ab2975e01d202fb8590dc74468d;
    bytes32 private constant ALL_ONES = bytes32(type(uint256).max);
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xB0B;

    address private constant SECP256K1_ACCOUNT = 0xBa963e85905a7F862147aC4F8bE9eD1Ca98c0161;
    bytes private constant SECP256K1 =
        hex"eeedc8a9f57eec5bc9762d9bebb41d951ca11b65a54a7945dedbd82a9953e078"
        hex"15e21189a81e12134fc7bb9296a43dde5d998766f85f0b5e7b99d838f5432ab1";
    bytes private constant SECP256K1_OF_ALL_ONES =
        hex"8a50fe77db0754c57e3da47a90f5fe9e2ba384dd6a8246ada26d6058be4bd23f"
        hex"21ee63804fd023169c1eb6bfadcc6e44bd3c2ca40ddf446ace737b3d76787efe";

    address private constant P256_ACCOUNT = 0x050dAF794d1bFa653bC912543B3A65e1BA46f052;
    bytes private constant P256_KEY =
        hex"03796579a5ea41f1fa33ed14cfb9442421c912f6a3efab3eb2893c4c57c57dac"
        hex"146f3ea38b0639df358ac1cac5caddd12533cbff5aebfc313849b9022d695b3a";
    bytes private constant P256_SIGNATURE =
        hex"308a29090d673f5595abb04085c880446b0233446ba7f21c6d3d17cd02817d45"
        hex"611448f4807c40ed621716438fb12eda0005174256b9bf887f826341c0bc2363";
    bytes private constant P256_OF_ALL_ONES =
        hex"63a60270e14dc1b34a14c9887ee6860698fc0bf9f4a2383a55f0b17d1e0427b8"
        hex"1592622177416d6314c2db07c54be48e397339f28fd9dbac3398f1d3063a5ad5";
    bytes private constant P256_OF_ZERO =
        hex"bce5f7da308e48c6d8aea2cb105786d370ffd3ab1520cb8085f21354d7aeb0e2"
        hex"1f6c7351cb3ff410cd19f5cc73b18dd0c6b857f3f8f26f5cc428847a1f566684";
    bytes private constant OF_ANOTHER_P256_KEY =
        hex"201081bd1354101873cde90337e615c796a88b0e74f7a5fbfc771d6d8db63489"
        hex"1f3a0fc7a439d42aad6af119c1798aa11298206200fb1d01197f56b52d17247a"
        hex"ccef4d9baad4b6710ff614ed67a84cb91f5b5218ab85a1a28cdcf71a8b422655"
        hex"2a5de4c83fcf88a92373afb249a6777968532690270762073d5fba461ccd76a0";

    function test_signedBy_WhenASecp256k1KeySigned() public view {
        _assertSigned(SECP256K1_ACCOUNT, HASH, SECP256K1);
        _assertSigned(SECP256K1_ACCOUNT, ALL_ONES, SECP256K1_OF_ALL_ONES);
    }

    function test_signedBy_WhenAP256KeySigned() public view {
        _assertSigned(P256_ACCOUNT, HASH, bytes.concat(P256_SIGNATURE, P256_KEY));
        _assertSigned(P256_ACCOUNT, ALL_ONES, bytes.concat(P256_OF_ALL_ONES, P256_KEY));
        _assertSigned(P256_ACCOUNT, bytes32(0), bytes.concat(P256_OF_ZERO, P256_KEY));
    }

    function testFuzz_signedBy_WhenARandomKeySigned(uint256 key, bytes32 hash) public view {
        key = bound(key, 1, Keys.P256_N - 1);
        assertTrue(registry.signedBy(Keys.p256Account(key), hash, Keys.p256(key, hash)), "P-256");
        key = bound(key, 1, Keys.SECP256K1_N - 1);
        assertTrue(registry.signedBy(vm.addr(key), hash, Keys.secp256k1(key, hash)), "secp256k1");
    }

    function test_signedBy_WhenTheHashIsNotTheSignedHash() public view {
        assertTrue(!registry.signedBy(SECP256K1_ACCOUNT, bytes32(uint256(HASH) ^ 1), SECP256K1), "secp256k1");
        bytes memory signature = bytes.concat(P256_SIGNATURE, P256_KEY);
        assertTrue(!registry.signedBy(P256_ACCOUNT, bytes32(uint256(HASH) ^ 1), signature), "P-256");
    }

    function test_signedBy_WhenTheAccountIsNotTheAccountOfTheKey() public view {
        bytes memory p256 = bytes.concat(P256_SIGNATURE, P256_KEY);
        assertTrue(!registry.signedBy(P256_ACCOUNT, HASH, SECP256K1), "of a P-256 key");
        assertTrue(!registry.signedBy(SECP256K1_ACCOUNT, HASH, p256), "of a secp256k1 key");
        assertTrue(!registry.signedBy(vm.addr(KEY), HASH, SECP256K1), "of another secp256k1 key");
        assertTrue(!registry.signedBy(P256_ACCOUNT, HASH, OF_ANOTHER_P256_KEY), "of another P-256 key");
        // The account that an Ethereum key with the same coordinates would have. A signature by a P-256 key must not
        // count for this account.
        address keccak = address(uint160(uint256(keccak256(P256_KEY))));
        assertTrue(!registry.signedBy(keccak, HASH, p256), "the key's account by keccak-256");
    }

    function test_signedBy_WhenTheAccountIsZero() public view {
        bytes[] memory forged = Keys.forgedSecp256k1(SECP256K1);
        for (uint256 i = 0; i < forged.length; ++i) {
            assertTrue(!registry.signedBy(address(0), HASH, forged[i]), "nobody is recovered from nothing");
        }
        assertTrue(!registry.signedBy(address(0), HASH, new bytes(128)), "nor the account of no key");
    }

    function test_signedBy_WhenTheSignatureIsForged() public view {
        bytes[] memory forged = Keys.forgedSecp256k1(SECP256K1);
        for (uint256 i = 0; i < forged.length; ++i) {
            assertTrue(!registry.signedBy(SECP256K1_ACCOUNT, HASH, forged[i]), "secp256k1");
        }
        forged = Keys.forgedP256(bytes.concat(P256_SIGNATURE, P256_KEY), OF_ANOTHER_P256_KEY);
        for (uint256 i = 0; i < forged.length; ++i) {
            assertTrue(!registry.signedBy(P256_ACCOUNT, HASH, forged[i]), "P-256");
        }
    }

    function testFuzz_signedBy_WhenOneBitOfTheSignatureDiffers(uint16 at) public view {
        bytes memory signature = bytes.concat(SECP256K1);
        signature[at % 512 / 8] ^= bytes1(uint8(1 << (at % 8)));
        assertTrue(!registry.signedBy(SECP256K1_ACCOUNT, HASH, signature), "secp256k1");
        signature = bytes.concat(P256_SIGNATURE, P256_KEY);
        signature[at % 1024 / 8] ^= bytes1(uint8(1 << (at % 8)));
        assertTrue(!registry.signedBy(P256_ACCOUNT, HASH, signature), "P-256");
    }

    function testFuzz_signedBy_WhenTheSignatureHasAnotherLength(uint8 length) public view {
        vm.assume(length != 64 && length != 128);
        bytes memory signature = Keys.first(bytes.concat(P256_SIGNATURE, P256_KEY), length);
        assertTrue(!registry.signedBy(P256_ACCOUNT, HASH, signature), "P-256");
        signature = Keys.first(SECP256K1, length);
        assertTrue(!registry.signedBy(SECP256K1_ACCOUNT, HASH, signature), "secp256k1");
    }

    /// If hash = -r * d (d is the private key), the verification computes the point at infinity. This never happens
    /// with a valid signature.
    function test_signedBy_WhenTheVerificationComputesThePointAtInfinity() public view {
        bytes32 hash = 0xd4bbb6973ec9b519075ee1e805ddf1eed5a409b644da643d112841926c022e48;
        _assertRefused(P256_ACCOUNT, hash, bytes.concat(bytes32(uint256(2)), bytes32(uint256(1)), P256_KEY));
    }

    /// The x coordinate of this point is n + 3 (n is the order of the curve), so r is 3.
    function test_signedBy_WhenTheXCoordinateIsNotLessThanTheOrderOfTheCurve() public view {
        bytes memory key = hex"61554dd3e017bda2adf61724a55523dad16a346fb3407b0d2fa62a3680c2419d"
            hex"eafdb265224c5acb3977691999fef71f02f0cbd345def5925053c78e97d637e7";
        address account = 0x3dEE3E58A96D2BE70B002B0E3a0C5b180D248311;
        _assertSigned(account, HASH, bytes.concat(bytes32(uint256(3)), bytes32(uint256(12345)), key));
        _assertRefused(account, HASH, bytes.concat(bytes32(Keys.P256_N + 3), bytes32(uint256(12345)), key));
    }

    /// x = 5 and x = 5 + p (p is the prime of the curve) are the same point, but give different accounts. Only x = 5 is
    /// a valid key.
    function test_signedBy_WhenACoordinateOfTheKeyIsNotLessThanThePrimeOfTheCurve() public view {
        bytes32 hash = 0xdfb6a972945c83e11323f4031bc3c499af3df27b36ff0e427ce555f06176e134;
        bytes memory signature = hex"5f8cc122c491618542a6364e070f105f7b0ca6ef66300a2cabf7bc490a7c3c93"
            hex"1ff585ebcc0d37694be09092bad2d2f1622d6bc87592269bc8b30c46e95a202c";
        uint256 y = 0x459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248fbcc;
        _assertSigned(Keys.p256Account(5, y), hash, bytes.concat(signature, bytes32(uint256(5)), bytes32(y)));
        uint256 x = Keys.P256_P + 5;
        _assertRefused(Keys.p256Account(x, y), hash, bytes.concat(signature, bytes32(x), bytes32(y)));
    }

    /// The messages that these tests sign equal values that another implementation computed from docs/protocol.md.
    function test_acts_TheMessagesEqualThePublishedValues() public pure {
        Acts.Frame memory frame = Acts.Frame(Acts.USES, sha256("origin"), 1337, address(0xB0B), address(0xA11CE));
        ICertificateLog.Use[] memory uses = new ICertificateLog.Use[](2);
        uses[0] = ICertificateLog.Use(bytes32(uint256(1)), 1);
        uses[1] = ICertificateLog.Use(bytes32(uint256(2)), 7);
        bytes32 published = 0x2a72531b98f6cd517043612c31c56606d4a8b70f52cee0d76c7fce96ffd8238d;
        assertEq(Acts.uses(frame, START, uses), published);
        frame.tag = Acts.WITHDRAWALS;
        bytes32[] memory statements = new bytes32[](2);
        (statements[0], statements[1]) = (bytes32(uint256(1)), bytes32(uint256(2)));
        published = 0x71f1fcd11614d41f756869433d100cc6a25fa6a895a45353bbba75e4987a4ffd;
        assertEq(Acts.withdrawals(frame, statements), published);
    }

    /// The account need not be bound to a party, because `signedBy` checks only the signature.
    function test_signedBy_GivenTheAccountIsNotBound() public view {
        assertEq(registry.accountOf(vm.addr(OTHER_KEY)).validFrom, 0);
        _assertSigned(vm.addr(OTHER_KEY), HASH, Keys.secp256k1(OTHER_KEY, HASH));
    }

    function _assertSigned(address account, bytes32 hash, bytes memory signature) private view {
        assertTrue(registry.signedBy(account, hash, signature), "a signature is refused");
        assertTrue(signature.length == 64 || _inSolidity(hash, signature), "refused without the engine's own P-256");
    }

    function _assertRefused(address account, bytes32 hash, bytes memory signature) private view {
        assertTrue(!registry.signedBy(account, hash, signature), "what is no signature passes");
        assertTrue(!_inSolidity(hash, signature), "what is no signature passes without the engine's own P-256");
    }

    /// Simulates a chain that has no precompiled contract for P-256.
    function _inSolidity(bytes32 hash, bytes memory signature) private view returns (bool) {
        return P256.verifySolidity(
            hash,
            bytes32(Keys.wordOf(signature, 0)),
            bytes32(Keys.wordOf(signature, 1)),
            bytes32(Keys.wordOf(signature, 2)),
            bytes32(Keys.wordOf(signature, 3))
        );
    }
}
