// SPDX-License-Identifier: Apache-2.0

package answers

// The numbers of the groups are those of section 9 of what is known of the SCM.
var rows = []row{
	{name: "as the soft SCM"},

	// 1 Ed25519 through an interface for digests, and the form of public keys
	{name: "Ed25519 over another digest", ways: []string{"ed-hash"}, failing: "edwards", log: "key slot 15: a signature of 64 bytes"},
	{name: "no Ed25519 signatures", ways: []string{"ed-refuses=-22"}, failing: "edwards", log: "zkGenECDSASigFromDigest: invalid argument (-22)"},
	{name: "Ed25519 keys of 33 bytes", ways: []string{"ed=33"}, first: true},
	{name: "Ed25519 keys of 64 bytes", ways: []string{"ed=64"}, first: true, failing: "edwards", log: "key slots 14, 15: a public key of 64 bytes", tool: "broken"},
	{name: "keys of 65 bytes", ways: []string{"pk=65"}, first: true},
	{name: "keys of 33 bytes", ways: []string{"pk=33"}, first: true},
	{name: "keys of 66 bytes", ways: []string{"pk=66"}, failing: "generate", log: "the new key in slot 17: a public key of 66 bytes"},
	{name: "keys of 66 bytes at first", ways: []string{"pk=66"}, first: true, failing: "sign kept agree peer generate", log: "66 bytes", lines: 3, tool: "broken"},
	{name: "keys of 0 bytes", ways: []string{"pk-size=0"}, first: true, failing: "sign kept edwards agree peer generate", log: "0 bytes", lines: 3, tool: "broken"},
	{name: "keys of -1 bytes", ways: []string{"pk-size=-1"}, first: true, failing: "sign kept edwards agree peer generate", log: "-1 bytes", lines: 3, tool: "broken"},
	{name: "keys of two billion bytes", ways: []string{"pk-size=2000000000"}, first: true, failing: "sign kept edwards agree peer generate", log: "2000000000 bytes", lines: 3, tool: "broken"},
	{name: "no keys at all", ways: []string{"pk=null"}, first: true, failing: "sign kept edwards agree peer generate", log: "NULL", lines: 4, tool: "broken"},
	{name: "keys on no curve", ways: []string{"pk=garbage"}, first: true, failing: "sign kept agree peer generate", log: "on no curve", lines: 3, tool: "broken"},
	{name: "signatures in DER", ways: []string{"sig=der"}},
	{name: "signatures of 65 bytes", ways: []string{"sig=65"}, failing: "sign kept generate", log: "a signature of 65 bytes", lines: 3},
	{name: "signatures of 0 bytes", ways: []string{"sig-size=0"}, failing: "sign kept edwards generate", log: "a signature of 0 bytes", lines: 4},
	{name: "no signature", ways: []string{"sig=null"}, failing: "sign kept edwards generate", log: "NULL", lines: 4},
	{name: "signatures over something else", ways: []string{"sig=other"}, failing: "sign kept edwards generate", log: "a signature of 64 bytes", lines: 4},

	// 2 Permanent slots
	{name: "permanent slots do not agree", ways: []string{"no-agreement=-22"}, failing: "agree", log: "zkDoRawECDH: invalid argument (-22)"},
	{name: "permanent keys are hidden", ways: []string{"hidden-permanent=-1"}, first: true, failing: "sign edwards agree"},

	// 3 Codes of errors
	{name: "no daemon", ways: []string{"zkOpen=-111"}, failing: "open", log: "zkifc", tool: "zkifc"},
	{name: "no device", ways: []string{"zkOpen=-19"}, failing: "open", log: "zkifc", tool: "zkifc"},
	{name: "no permission", ways: []string{"zkOpen=-13"}, failing: "open", log: "this user", tool: "this user"},
	{name: "the first call fails", ways: []string{"zkOpen=-19*1"}},
	{name: "making keys fails", ways: []string{"zkGenKeyPair=-1"}, failing: "generate", log: "zkGenKeyPair"},
	{name: "no room", ways: []string{"zkGenKeyPair=-28"}, failing: "generate"},
	{name: "user keys are hidden", ways: []string{"hidden-user=-13"}, failing: "generate", log: "the new key in slot 17: zkExportPubKey"},
	{name: "user keys were always hidden", ways: []string{"hidden-user=-13"}, first: true, failing: "kept generate", log: "slot 1", lines: 2},

	// 4 The list of slots
	{name: "a pool of -1 keys", ways: []string{"most=-1"}},
	{name: "a list backwards", ways: []string{"reversed"}},
	{name: "slots twice", ways: []string{"doubled"}},
	{name: "slots that are none", ways: []string{"odd-slots"}},
	{name: "permanent slots unlisted", ways: []string{"no-permanent"}, first: true},
	{name: "slots 14 and 15 unlisted", ways: []string{"no-25519"}, first: true},
	{name: "seeds of wallets unlisted", ways: []string{"no-seeds"}},
	{name: "no list", ways: []string{"own-list=-38"}},
	{name: "no list at first", ways: []string{"own-list=-22"}, first: true},
	{name: "an own list that is NULL", ways: []string{"own-null"}},
	{name: "a list of -1 slots", ways: []string{"own-size=-1"}},
	{name: "a list of two billion slots", ways: []string{"own-size=2000000000"}},
	{name: "an empty foreign list that is NULL", ways: []string{"foreign-null"}},
	{name: "a foreign list of -1 slots", ways: []string{"foreign-size=-1"}},
	{name: "no foreign list", ways: []string{"foreign-list=-22"}, status: true},
	{name: "no foreign list at first", ways: []string{"foreign-list=-22"}, first: true},
	{name: "a foreign list that times out", ways: []string{"foreign-list=-110"}},

	// 5 The highest user slot, and which one a new key gets
	{name: "a key in slot 528", ways: []string{"made=528"}, failing: "generate", log: "528"},
	{name: "a key in slot 0", ways: []string{"made=0"}, failing: "generate", log: "slot 0"},

	// 6 Contexts
	{name: "one call at a time", ways: []string{"alone"}},
	{name: "contexts that die", ways: []string{"dies=40"}},

	// 7 Limits
	{name: "32 random bytes at most", ways: []string{"random-most=32"}},
	{name: "1000 bytes to lock at most", ways: []string{"lock-most=1000"}, failing: "lock", log: "zkLockDataB2B"},

	// 8 Verification, which the module leaves to nobody
	{name: "everything verifies", ways: []string{"zkVerifyECDSASigFromDigest=1", "zkVerifyECDSASigFromDigestWithForeignKeySlot=1"}},
	{name: "nothing verifies", ways: []string{"zkVerifyECDSASigFromDigest=-22", "zkVerifyECDSASigFromDigestWithForeignKeySlot=-22"}},

	// 9 How long calls take
	{name: "30 ms a call", ways: []string{"slow=30"}},
	{name: "a new key takes too long", ways: []string{"zkGenKeyPair~-110"}},
	{name: "a new key fails after it was made", ways: []string{"zkGenKeyPair~-5"}},
	{name: "a foreign key takes too long", ways: []string{"zkStoreForeignPubKey~-110"}},
	{name: "removing takes too long", ways: []string{"zkRemoveKey~-110"}},
	{name: "being in no wallet is a timeout", ways: []string{"no-wallet=-110"}, first: true},

	// 10 Strings
	{name: "no model", ways: []string{"model=null"}, status: true},
	{name: "an odd model", ways: []string{"model=\x01\xff HSM6-something-very-long-that-fits-into-nothing"}, status: true},
	{name: "no serial number", ways: []string{"serial=null"}, first: true},
	{name: "no serial number any more", ways: []string{"zkGetSerialNumberString=-5"}, status: true},
	{name: "no model any more", ways: []string{"zkGetModelNumberString=-5"}},
	{name: "firmware in another form", ways: []string{"firmware=1.2"}},

	// 11 Unlocking
	{name: "unlocked is 0", ways: []string{"unlocked=0"}},
	{name: "unlocked is 0, not unlocked is NULL", ways: []string{"unlocked=0", "not-unlocked=null"}},

	// 12 Supervised boot
	{name: "no manifest", ways: []string{"manifest=null"}},
	{name: "no supervised boot", ways: []string{"zkGetSupervisedBootFileManifest=-38"}},

	// What else an SCM can fail at
	{name: "no clock", ways: []string{"zkGetTime=-5"}, status: true},
	{name: "no random numbers", ways: []string{"zkGetRandBytes=-5"}, failing: "random", log: "zkGetRandBytes"},
	{name: "no health", ways: []string{"zkGetBatteryVoltage=-5", "zkGetCPUTemp=-110", "zkGetPerimeterDetectInfo=-22", "zkGetCurrentBindingInfo=-22"}, status: true},
	{name: "without a list of slots", lacks: []string{"zkGetAllocSlotsList"}, first: true},
	{name: "without most functions", lacks: young, first: true, failing: "kept agree foreign peer generate", never: true, status: true},
}

// young are the functions that the oldest library known does not have, which has 40.
var young = []string{
	"zkGenECDSASigFromDigestWithRecID", "zkVerifyECDSASigFromDigestWithForeignKeySlot", "zkDoRawECDH", "zkDoRawECDHWithIntPeerPubkey",
	"zkDoECDHAndKDF", "zkDoECDHAndKDFWithIntPeerPubkey", "zkExportPubKey2File", "zkExportPubKey", "zkGetAllocSlotsList",
	"zkStoreForeignPubKey", "zkDisablePubKeyExport", "zkGenKeyPair", "zkGenEphemeralKeyPair", "zkRemoveKey", "zkInvalidateEphemeralKey",
	"zkGenWalletMasterSeedWithBIP39", "zkGenWalletMasterSeedWithSLIP39", "zkSetSLIP39GroupInfo", "zkAddSLIP39MemberPassword",
	"zkCancelSLIP39Session", "zkGenOversightWallet", "zkGenWalletChildKey", "zkRestoreWalletMasterSeedFromBIP39Mnemonic",
	"zkRestoreWalletMasterSeedFromSLIP39", "zkAddRestoreSLIP39Mnemonic", "zkGetWalletNodeAddrFromKeySlot", "zkGetWalletKeySlotFromNodeAddr",
	"zkSetDigitalPerimeterDetectLPPeriod", "zkSetDigitalPerimeterDetectLPMaxBits", "zkSetDigitalPerimeterDetectDelays",
	"zkGetAUXTemp", "zkGetRTCDrift", "zkSetSupervisedBootPolicy", "zkAddOrUpdateSupervisedBootFile", "zkRemoveSupervisedBootFile",
	"zkGetSupervisedBootFileManifest",
}
