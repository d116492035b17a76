# SPDX-License-Identifier: Apache-2.0

"""wrapper.py FOLDER: uses the library by ctypes, as the vendor's Python wrapper
does, and leaves a public key, a digest and a signature for others to check."""

import ctypes
import hashlib
import sys
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_ubyte, c_void_p

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
        data, size = POINTER(c_ubyte)(), c_int()
        call("zkGenECDSASigFromDigest", self.context, digest, slot, byref(data), byref(size))
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


def main(folder):
    client = Client()
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
    client.close()


main(sys.argv[1])
