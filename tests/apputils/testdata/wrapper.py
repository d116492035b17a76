# SPDX-License-Identifier: Apache-2.0

"""wrapper.py FOLDER: uses the library by ctypes, as the vendor's Python wrapper
does, and leaves a public key, a digest and a signature for others to check."""

import ctypes
import hashlib
import os
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_ubyte, c_uint, c_void_p

library = ctypes.cdll.LoadLibrary("libzk_app_utils.so")
free = ctypes.CDLL(None).free
free.argtypes = [c_void_p]


def call(name, *args):
    """Calls a function, and raises an error as the vendor's wrapper does."""
    code = getattr(library, name)(*args)
    if code < 0:
        raise AssertionError("%s: bad return code %d" % (name, code))
    return code


def taken(pointer, size):
    """The bytes of an output, which is released."""
    data = ctypes.string_at(pointer, size)
    free(pointer)
    return data


class Client:
    """The connection, like the vendor's module zymkey.client."""

    def __init__(self):
        self.context = c_void_p()
        call("zkOpen", byref(self.context))

    def close(self):
        call("zkClose", self.context)

    def sign(self, message, slot):
        digest = hashlib.sha256(message).digest()
        data, size, recovery = POINTER(c_ubyte)(), c_int(), c_uint()
        call("zkGenECDSASigFromDigestWithRecID", self.context, digest, slot, byref(data), byref(size), byref(recovery))
        assert recovery.value in (0, 1)
        return taken(data, size.value)

    def public_key(self, slot):
        data, size = POINTER(c_ubyte)(), c_int()
        call("zkExportPubKey", self.context, byref(data), byref(size), slot, c_bool(False))
        return taken(data, size.value)

    def slots(self):
        capacity, slots, size = c_int(), POINTER(c_int)(), c_int()
        call("zkGetAllocSlotsList", self.context, c_bool(False), byref(capacity), byref(slots), byref(size))
        numbers = slots[: size.value]
        free(slots)
        return numbers

    def random(self, size):
        data = POINTER(c_ubyte)()
        call("zkGetRandBytes", self.context, byref(data), size)
        return taken(data, size)

    def verify(self, message, signature, slot, foreign=False):
        name = "zkVerifyECDSASigFromDigest" + ("WithForeignKeySlot" if foreign else "")
        digest = hashlib.sha256(message).digest()
        return call(name, self.context, digest, slot, signature, len(signature)) == 1

    def lock(self, plain, shared=False):
        data, size = POINTER(c_ubyte)(), c_int()
        call("zkLockDataB2B", self.context, plain, len(plain), byref(data), byref(size), c_bool(shared))
        return taken(data, size.value)

    def unlock(self, locked, shared=False):
        data, size = POINTER(c_ubyte)(), c_int()
        code = call("zkUnlockDataB2B", self.context, locked, len(locked), byref(data), byref(size), c_bool(shared))
        return taken(data, size.value) if code == 1 else None

    def master_seed(self, name):
        words = c_void_p()
        slot = call("zkGenWalletMasterSeedWithBIP39", self.context, 1, b"", name, b"", 0, b"", byref(words))
        mnemonic = ctypes.string_at(words)
        free(words)
        return slot, mnemonic

    def shared_seed(self, name, groups, threshold):
        call("zkGenWalletMasterSeedWithSLIP39", self.context, 1, b"", name, b"", 0, groups, threshold, 0, b"")

    def group(self, index, passphrases, threshold):
        """Sets a group, and returns what the last member got and all shares."""
        call("zkSetSLIP39GroupInfo", self.context, index, len(passphrases), threshold)
        shares, code = [], None
        for passphrase in passphrases:
            assert code in (None, -1)
            words = c_void_p()
            code = library.zkAddSLIP39MemberPassword(self.context, passphrase, byref(words))
            shares.append((passphrase, ctypes.string_at(words)))
            free(words)
        return code, shares

    def restore(self, name, shares):
        """Returns what the shares were answered with."""
        code = library.zkRestoreWalletMasterSeedFromSLIP39(self.context, 1, b"", name, b"", 0, b"")
        assert code == -1
        return [library.zkAddRestoreSLIP39Mnemonic(self.context, *share) for share in shares]

    def child(self, parent, index, hardened):
        return call("zkGenWalletChildKey", self.context, parent, index, c_bool(hardened), c_bool(False), None)


def der(signature):
    """The form of a signature that OpenSSL takes."""

    def integer(b):
        b = b.lstrip(b"\0")
        if b[0] & 0x80:
            b = b"\0" + b
        return b"\x02" + bytes([len(b)]) + b

    body = integer(signature[:32]) + integer(signature[32:])
    return b"\x30" + bytes([len(body)]) + body


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def keys(client, folder):
    assert client.slots() == list(range(16))
    assert len(client.random(512)) == 512
    for name, curve in (("nistp256", 0), ("secp256k1", 1)):
        slot = call("zkGenKeyPair", client.context, curve)
        assert slot in client.slots()
        assert len(client.public_key(slot)) == 64
        message = b"message for " + name.encode()
        write("%s/%s.msg" % (folder, name), message)
        write("%s/%s.sig" % (folder, name), der(client.sign(message, slot)))
        path = ("%s/%s.pem" % (folder, name)).encode()
        call("zkExportPubKey2File", client.context, c_char_p(path), slot, c_bool(False))
        call("zkRemoveKey", client.context, slot, c_bool(False))


def data(client):
    locked = client.lock(b"secret")
    assert client.unlock(locked) == b"secret"
    assert client.unlock(locked, shared=True) is None
    assert client.unlock(locked[:-1] + bytes([locked[-1] ^ 1])) is None


def foreign(client):
    slot = call("zkStoreForeignPubKey", client.context, 0, client.public_key(0), 64)
    signature = client.sign(b"message", 0)
    assert client.verify(b"message", signature, 0)
    assert client.verify(b"message", signature, slot, foreign=True)
    assert not client.verify(b"another", signature, slot, foreign=True)


def wallet(client):
    top, mnemonic = client.master_seed(b"wallet")
    assert len(mnemonic.split()) == 24
    slot = client.child(client.child(top, 3, True), 0, False)
    assert client.verify(b"message", client.sign(b"message", slot), slot)
    address, name, master = c_void_p(), c_void_p(), c_int()
    call("zkGetWalletNodeAddrFromKeySlot", client.context, slot, byref(address), byref(name), byref(master))
    assert (ctypes.string_at(address), ctypes.string_at(name), master.value) == (b"m/3'/0", b"wallet", top)
    free(address)
    free(name)


def shares(client):
    """A wallet of three groups, two of which restore it, as in the vendor's example."""
    client.shared_seed(b"shared", 3, 2)
    first, a = client.group(0, [b"", b"", b""], 2)
    second, b = client.group(1, [b"p@ssw0rd", b"T3st", b"h3LlO"], 3)
    top, _ = client.group(2, [b""], 1)
    assert (first, second) == (-1, -1) and all(len(words.split()) == 33 for _, words in a + b)
    key = client.public_key(client.child(top, 0, False))
    call("zkRemoveKey", client.context, top, c_bool(False))
    codes = client.restore(b"shared", [a[2], a[0], b[0], b[2], b[1]])
    assert codes[:-1] == [-1] * 4
    assert client.public_key(client.child(codes[-1], 0, False)) == key


def every_slot(client):
    """All slots of a new module sign, 14 and 15 with Ed25519."""
    for slot in range(16):
        assert len(client.public_key(slot)) == (64 if slot < 14 else 32)
        assert client.verify(b"message", client.sign(b"message", slot), slot)


def workers(client):
    """Processes that are forked from one which has the module open."""
    for _ in range(3):
        child = os.fork()
        if child == 0:
            try:
                assert client.verify(b"message", client.sign(b"message", 1), 1)
                client.close()
            finally:
                os._exit(0 if sys.exc_info() == (None, None, None) else 1)
        assert os.waitpid(child, 0)[1] == 0
    assert client.verify(b"message", client.sign(b"message", 1), 1)


def main(folder):
    client = Client()
    keys(client, folder)
    data(client)
    foreign(client)
    wallet(client)
    shares(client)
    every_slot(client)
    workers(client)
    client.close()


main(sys.argv[1])
