// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// The smallest token contract that can be built on OpenZeppelin's ERC-721: the contract's owner mints tokens, and the
/// holder of a token transfers it.
contract Token is ERC721("Bench", "B") {
    address private immutable _owner = msg.sender;

    function mint(address to, uint256 id) external {
        require(msg.sender == _owner);
        _mint(to, id);
    }
}

/// The least that an anchor can do: each transaction stores one Merkle root. Anyone may anchor, and nothing says what
/// the root means.
contract Roots {
    mapping(uint256 number => bytes32 root) private _roots;
    uint256 private _next;

    event Anchored(uint256 indexed number, bytes32 root);

    function anchor(bytes32 root) external {
        _roots[_next] = root;
        emit Anchored(_next++, root);
    }
}
