// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
// #include "version.h"
import "C"

import (
	"strings"
	"unicode/utf8"

	"libzk_pkcs11/pkcs11"
)

// destination is where a result of the provider goes in the caller's memory, converted.
type destination[T, G any] struct {
	to      *T
	convert func(G) T
}

// destinationOf makes a destination. A call is refused before it does anything if that is NULL, and
// fails if it cannot be written.
func destinationOf[T, G any](c *call, to *T, convert func(G) T) destination[T, G] {
	if required(c, to) {
		probeWritable(to)
	}
	return destination[T, G]{to, convert}
}

// deliver writes a result, unless there was an error, which it returns.
func (d destination[T, G]) deliver(v G, err error) error {
	if err == nil {
		*d.to = d.convert(v)
	}
	return err
}

func toULong(v uint) C.CK_ULONG { return C.CK_ULONG(v) }
func toCount(v int) C.CK_ULONG  { return C.CK_ULONG(v) }

func version(v pkcs11.Version) C.CK_VERSION {
	return C.CK_VERSION{major: C.CK_BYTE(v.Major), minor: C.CK_BYTE(v.Minor)}
}

// padField fills a field of fixed size with s and blanks. What does not fit is cut
// off between characters.
func padField(field []C.CK_UTF8CHAR, s string) {
	s = strings.ToValidUTF8(s, "?")
	for len(s) > len(field) {
		_, size := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-size]
	}
	for i := range field {
		field[i] = ' '
		if i < len(s) {
			field[i] = C.CK_UTF8CHAR(s[i])
		}
	}
}

func infoOf(v pkcs11.Info) (c C.CK_INFO) {
	c.cryptokiVersion = version(v.Cryptoki)
	padField(c.manufacturerID[:], v.Manufacturer)
	padField(c.libraryDescription[:], v.Description)
	c.libraryVersion = C.CK_VERSION{major: C.ZK_VERSION_MAJOR, minor: C.ZK_VERSION_MINOR}
	return c
}

func slotInfoOf(v pkcs11.SlotInfo) (c C.CK_SLOT_INFO) {
	padField(c.slotDescription[:], v.Description)
	padField(c.manufacturerID[:], v.Manufacturer)
	c.flags = toULong(v.Flags)
	c.hardwareVersion = version(v.Hardware)
	c.firmwareVersion = version(v.Firmware)
	return c
}

func tokenInfoOf(v pkcs11.TokenInfo) (c C.CK_TOKEN_INFO) {
	padField(c.label[:], v.Label)
	padField(c.manufacturerID[:], v.Manufacturer)
	padField(c.model[:], v.Model)
	padField(c.serialNumber[:], v.Serial)
	c.flags = toULong(v.Flags)
	c.ulMaxSessionCount, c.ulSessionCount = toULong(v.MaxSession), toULong(v.Session)
	c.ulMaxRwSessionCount, c.ulRwSessionCount = toULong(v.MaxRWSession), toULong(v.RWSession)
	c.ulMaxPinLen, c.ulMinPinLen = toULong(v.MaxPIN), toULong(v.MinPIN)
	c.ulTotalPublicMemory, c.ulFreePublicMemory = toULong(v.TotalPublic), toULong(v.FreePublic)
	c.ulTotalPrivateMemory, c.ulFreePrivateMemory = toULong(v.TotalPrivate), toULong(v.FreePrivate)
	c.hardwareVersion = version(v.Hardware)
	c.firmwareVersion = version(v.Firmware)
	padField(c.utcTime[:], v.UTCTime)
	return c
}

func sessionInfoOf(v pkcs11.SessionInfo) C.CK_SESSION_INFO {
	return C.CK_SESSION_INFO{
		slotID: toULong(v.Slot), state: toULong(v.State), flags: toULong(v.Flags), ulDeviceError: toULong(v.DeviceError),
	}
}

func mechanismInfoOf(v pkcs11.MechanismInfo) C.CK_MECHANISM_INFO {
	return C.CK_MECHANISM_INFO{
		ulMinKeySize: toULong(v.MinKeySize), ulMaxKeySize: toULong(v.MaxKeySize), flags: toULong(v.Flags),
	}
}
