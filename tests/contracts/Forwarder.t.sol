// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

import {ERC2771Forwarder} from "@openzeppelin/contracts/metatx/ERC2771Forwarder.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {AssetRegistry} from "../../contracts/AssetRegistry.sol";
import {CertificateLog} from "../../contracts/CertificateLog.sol";
import {Forwarder} from "../../contracts/Forwarder.sol";
import {IAssetApplications} from "../../contracts/interfaces/IAssetApplications.sol";
import {IPartyKeys} from "../../contracts/interfaces/IPartyKeys.sol";
import {IPartyRegistry} from "../../contracts/interfaces/IPartyRegistry.sol";
import {PartyRegistry} from "../../contracts/PartyRegistry.sol";
import {AssetId, Grade, PartyId, PartyNo, PartyStatus, Reason, Roles} from "../../contracts/Types.sol";
import {Test} from "./Test.sol";
import {vm} from "./Vm.sol";

/// Tests requests that a party signs and the service sends; see Forwarder.tree.
contract ForwarderTest is Test {
    bytes32 private constant REQUEST = keccak256(
        "ForwardRequest(address from,address to,uint256 value,uint256 gas,uint256 nonce,uint48 deadline,bytes data)"
    );
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant SALT = "salt";
    uint256 private constant CHAIN = 1337;
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xB0B;
    uint48 private constant DEADLINE = 1_790_000_100;

    Forwarder private _forwarder;
    PartyRegistry private _registry;
    CertificateLog private _log;
    AssetRegistry private _assets;
    address private _account;
    string private _name;

    function setUp() public {
        vm.chainId(CHAIN);
        vm.warp(DEADLINE - 100);
        _account = vm.addr(KEY);
        _forwarder = _newForwarder(SALT);
        _name = _nameOf(_forwarder.origin());
        _registry = PartyRegistry(deploy("PartyRegistry", abi.encode(_forwarder, 0, _founding())));
        _log = CertificateLog(deploy("CertificateLog", abi.encode(_forwarder, _registry)));
        _assets = AssetRegistry(deploy("AssetRegistry", abi.encode(_forwarder, _registry, 0)));
    }

    /// The second founding party makes the requests of the tests; the other founding parties are officers.
    function _founding() private view returns (IPartyRegistry.Founding[] memory list) {
        list = new IPartyRegistry.Founding[](4);
        for (uint160 i = 0; i < list.length; ++i) {
            address[] memory accounts = new address[](1);
            accounts[0] = i == 1 ? _account : address(0xF0 + i);
            uint32 roles = i == 1 ? Roles.ISSUER | Roles.PROVIDER : Roles.AUTHORITY;
            PartyId id = PartyId.wrap(bytes32(uint256(1 + i)));
            list[i] = IPartyRegistry.Founding(id, accounts, roles, new IPartyRegistry.Accreditation[](0));
        }
    }

    function testFuzz_origin_ItIsTheHashOfChainAddressPreviousBlockTimeAndSalt(bytes32 salt, uint64 chain, uint40 time)
        public
    {
        vm.assume(chain != 0 && time < 1e11);
        vm.chainId(chain);
        vm.warp(time);
        bytes32 previous = blockhash(block.number - 1);
        Forwarder forwarder = _newForwarder(salt);
        bytes memory words = bytes.concat(
            bytes32("pingzheng/origin/v2"),
            bytes32(uint256(chain)),
            bytes32(uint256(uint160(address(forwarder)))),
            previous,
            bytes32(uint256(time)),
            bytes32(block.number),
            salt
        );
        assertEq(forwarder.origin(), sha256(words));
    }

    function testFuzz_origin_ItNeverChanges(uint64 chain, uint40 time, uint32 blocks) public {
        vm.assume(chain != 0);
        bytes32 origin = _forwarder.origin();
        vm.chainId(chain);
        vm.warp(time);
        vm.roll(block.number + blocks);
        assertEq(_forwarder.origin(), origin);
    }

    /// The two forwarders have the same address and are deployed in the same block, so only their salts differ.
    function testFuzz_origin_ItChangesWithTheSalt(bytes32 one, bytes32 other) public {
        vm.assume(one != other);
        try this.originAt(one) {
            revert("kept");
        } catch (bytes memory first) {
            try this.originAt(other) {
                revert("kept");
            } catch (bytes memory second) {
                (address firstAt, bytes32 firstOrigin) = abi.decode(first, (address, bytes32));
                (address secondAt, bytes32 secondOrigin) = abi.decode(second, (address, bytes32));
                assertEq(firstAt, secondAt);
                assertTrue(firstOrigin != secondOrigin, "the origin does not depend on the salt");
            }
        }
    }

    /// Deploys a forwarder and reverts, so that the next forwarder gets the same address. The revert data contain
    /// address and origin.
    function originAt(bytes32 salt) external {
        Forwarder forwarder = _newForwarder(salt);
        bytes memory found = abi.encode(address(forwarder), forwarder.origin());
        assembly {
            revert(add(found, 32), mload(found))
        }
    }

    function test_eip712Domain_TheNameContainsTheOrigin() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chain, address at,,) =
            _forwarder.eip712Domain();
        assertEq(bytes32(fields), bytes32(hex"0f"));
        assertEq(keccak256(bytes(name)), keccak256(bytes(_name)));
        assertEq(bytes(name).length, 76);
        assertEq(keccak256(bytes(version)), keccak256("1"));
        assertEq(chain, CHAIN);
        assertEq(at, address(_forwarder));
    }

    function test_execute_WhenThePartySigned() public {
        _forwarder.execute(_anchor(KEY));
        assertEq(_log.batchCount(PartyNo.wrap(2)), 1);
        bytes memory data =
            abi.encodeCall(IAssetApplications.register, (AssetId.wrap("asset"), "content", "print", Grade.General));
        _forwarder.execute(_signed(KEY, address(_assets), data));
        assertEq(_assets.assetOf(AssetId.wrap("asset")).holder, PartyNo.wrap(2));
        data = abi.encodeCall(IPartyKeys.report, (PartyNo.wrap(2), _account));
        _forwarder.execute(_signed(KEY, address(_registry), data));
        assertEq(_registry.accountOf(_account).reportedAt, DEADLINE - 100);
    }

    function test_execute_GivenThePartyIsSanctioned() public {
        _forwarder.execute(_anchor(KEY));
        _decide(abi.encodeCall(PartyRegistry.setStatus, (PartyNo.wrap(2), PartyStatus.Sanctioned, Reason.Sanction)));
        bytes32 consent = "consent";
        _forwarder.execute(_signed(KEY, address(_log), abi.encodeCall(CertificateLog.withdraw, (consent))));
        (uint40 at,) = _log.withdrawnAt(PartyNo.wrap(2), consent);
        assertEq(at, DEADLINE - 100);
        bytes memory data = abi.encodeCall(CertificateLog.anchor, (1, 1, "root"));
        ERC2771Forwarder.ForwardRequestData memory request = _signed(KEY, address(_log), data);
        vm.expectRevert(abi.encodeWithSelector(Errors.FailedCall.selector));
        _forwarder.execute(request);
    }

    function test_execute_WhenAtTheDeadline() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        vm.warp(DEADLINE);
        _forwarder.execute(request);
        assertEq(_log.batchCount(PartyNo.wrap(2)), 1);
    }

    function test_execute_WhenAfterTheDeadline() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(
            abi.encodeWithSelector(ERC2771Forwarder.ERC2771ForwarderExpiredRequest.selector, DEADLINE)
        );
        _forwarder.execute(request);
    }

    function test_execute_WhenAnotherAccountSigned() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(OTHER_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC2771Forwarder.ERC2771ForwarderInvalidSigner.selector, vm.addr(OTHER_KEY), _account
            )
        );
        _forwarder.execute(request);
    }

    function test_execute_WhenTheDataIsNotTheSignedData() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        request.data = abi.encodeCall(CertificateLog.anchor, (0, 2, "root"));
        _assertInvalid(request);
    }

    function test_execute_WhenTheRequestWasExecuted() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        _forwarder.execute(request);
        _assertInvalid(request);
        assertEq(_log.batchCount(PartyNo.wrap(2)), 1);
    }

    function test_execute_WhenSignedForAnotherForwarder() public {
        Forwarder trusted = _forwarder;
        _forwarder = _newForwarder(SALT);
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        _forwarder = trusted;
        _assertInvalid(request);
    }

    /// The addresses and the chain id are the same, but the forwarder has another origin.
    function test_execute_WhenSignedForAnotherOrigin() public {
        string memory trusted = _name;
        _name = _nameOf(bytes32(uint256(_forwarder.origin()) ^ 1));
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        _assertInvalid(request);
        _name = trusted;
        _forwarder.execute(_anchor(KEY));
    }

    /// The same contracts were copied to a chain with another id.
    function test_execute_WhenSignedForAnotherChain() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        vm.chainId(CHAIN + 1);
        _assertInvalid(request);
        vm.chainId(CHAIN);
        _forwarder.execute(request);
    }

    function test_execute_WhenTheTargetTrustsAnotherForwarder() public {
        _forwarder = _newForwarder(SALT);
        _name = _nameOf(_forwarder.origin());
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC2771Forwarder.ERC2771UntrustfulTarget.selector, address(_log), address(_forwarder)
            )
        );
        _forwarder.execute(request);
    }

    function test_execute_WhenTheSignedValueIsNotTheValueSent() public {
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        request.value = 1;
        vm.expectRevert(
            abi.encodeWithSelector(
                ERC2771Forwarder.ERC2771ForwarderMismatchedValue.selector, uint256(1), uint256(0)
            )
        );
        _forwarder.execute(request);
    }

    function test_execute_GivenTheAccountWasRetired() public {
        _decide(abi.encodeCall(IPartyKeys.changeKey, (PartyNo.wrap(2), address(0xF5E5), _account, "")));
        ERC2771Forwarder.ForwardRequestData memory request = _anchor(KEY);
        vm.expectRevert(abi.encodeWithSelector(Errors.FailedCall.selector));
        _forwarder.execute(request);
        assertEq(_forwarder.nonces(_account), 0);
        assertEq(_log.batchCount(PartyNo.wrap(2)), 0);
    }

    /// Lets one officer propose a call and another officer confirm it.
    function _decide(bytes memory call) private {
        vm.prank(address(0xF0));
        uint32 no = _registry.propose(address(_registry), call);
        vm.prank(address(0xF2));
        _registry.confirm(no, address(_registry), call);
    }

    /// Expects the error for a wrong signer. The error's first argument, the recovered signer, can be any address; the
    /// second argument must be the party's account.
    function _assertInvalid(ERC2771Forwarder.ForwardRequestData memory request) private {
        try _forwarder.execute(request) {
            revert("executed");
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), ERC2771Forwarder.ERC2771ForwarderInvalidSigner.selector);
            assertEq(reason.length, 68);
            address from;
            assembly {
                from := mload(add(reason, 68))
            }
            assertEq(from, _account);
        }
    }

    function _newForwarder(bytes32 salt) private returns (Forwarder) {
        return Forwarder(deploy("Forwarder", abi.encode(salt)));
    }

    /// Returns `Pingzheng/0x` and the 64 hex digits of the origin.
    function _nameOf(bytes32 origin) private pure returns (string memory) {
        bytes memory digits = new bytes(64);
        for (uint256 i = 0; i < 64; ++i) {
            digits[i] = bytes16("0123456789abcdef")[(uint256(origin) >> (4 * (63 - i))) & 15];
        }
        return string(bytes.concat("Pingzheng/0x", digits));
    }

    function _anchor(uint256 key) private view returns (ERC2771Forwarder.ForwardRequestData memory) {
        return _signed(key, address(_log), abi.encodeCall(CertificateLog.anchor, (0, 1, "root")));
    }

    function _signed(uint256 key, address to, bytes memory data)
        private
        view
        returns (ERC2771Forwarder.ForwardRequestData memory request)
    {
        uint256 nonce = _forwarder.nonces(_account);
        request = ERC2771Forwarder.ForwardRequestData(_account, to, 0, 1_000_000, DEADLINE, data, "");
        bytes32 domain =
            keccak256(abi.encode(DOMAIN, keccak256(bytes(_name)), keccak256("1"), CHAIN, address(_forwarder)));
        bytes32 content = keccak256(
            abi.encode(REQUEST, _account, to, uint256(0), uint256(1_000_000), nonce, DEADLINE, keccak256(data))
        );
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, content)));
        request.signature = abi.encodePacked(r, s, v);
    }
}
