// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {Rfc9162} from "../../../contracts/libraries/Rfc9162.sol";

/// The test leaves of Certificate Transparency, and the roots and proofs that are published for them.
library MerkleVectors {
    function leaves8() internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](8);
        leaves[0] = Rfc9162.leafHash("");
        leaves[1] = Rfc9162.leafHash(hex"00");
        leaves[2] = Rfc9162.leafHash(hex"10");
        leaves[3] = Rfc9162.leafHash(hex"2021");
        leaves[4] = Rfc9162.leafHash(hex"3031");
        leaves[5] = Rfc9162.leafHash(hex"40414243");
        leaves[6] = Rfc9162.leafHash(hex"5051525354555657");
        leaves[7] = Rfc9162.leafHash(hex"606162636465666768696a6b6c6d6e6f");
    }

    /// The roots of the trees over the first 0 to 8 leaves.
    function rootOf(uint256 size) internal pure returns (bytes32) {
        bytes32[9] memory roots;
        roots[0] = 0xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855;
        roots[1] = 0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d;
        roots[2] = 0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125;
        roots[3] = 0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77;
        roots[4] = 0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7;
        roots[5] = 0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4;
        roots[6] = 0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef;
        roots[7] = 0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c;
        roots[8] = 0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328;
        return roots[size];
    }

    /// The inclusion proof of leaf 0 in a tree of 8 leaves.
    function inclusion0of8() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](3);
        proof[0] = 0x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7;
        proof[1] = 0x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e;
        proof[2] = 0x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4;
    }

    /// The inclusion proof of leaf 5 in a tree of 8 leaves.
    function inclusion5of8() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](3);
        proof[0] = 0xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b;
        proof[1] = 0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0;
        proof[2] = 0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7;
    }

    /// The inclusion proof of leaf 2 in a tree of 3 leaves.
    function inclusion2of3() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = 0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125;
    }

    /// The inclusion proof of leaf 6 in a tree of 7 leaves.
    function inclusion6of7() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](2);
        proof[0] = 0x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a;
        proof[1] = 0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7;
    }

    /// The consistency proof between the trees of 6 and 8 leaves.
    function consistency6in8() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](3);
        proof[0] = 0x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a;
        proof[1] = 0xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0;
        proof[2] = 0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7;
    }

    /// The consistency proof between the trees of 3 and 7 leaves.
    function consistency3in7() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](4);
        proof[0] = 0x0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7;
        proof[1] = 0x07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7;
        proof[2] = 0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125;
        proof[3] = 0x837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e;
    }

    /// The consistency proof between the trees of 4 and 7 leaves.
    function consistency4in7() internal pure returns (bytes32[] memory proof) {
        proof = new bytes32[](1);
        proof[0] = 0x837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e;
    }
}
