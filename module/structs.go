// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
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

// into makes a destination. A call is refused before it does anything if that is NULL, and
// fails if it cannot be written.
func into[T, G any](c *call, to *T, convert func(G) T) destination[T, G] {
	if need(c, to) {
		touch(to)
	}
	return destination[T, G]{to, convert}
}

// take writes a result, unless there was an error, which it returns.
func (d destination[T, G]) take(v G, err error) error {
	if err == nil {
		*d.to = d.convert(v)
	}
	return err
}

func ulong(v uint) C.CK_ULONG { return C.CK_ULONG(v) }
func number(v int) C.CK_ULONG { return C.CK_ULONG(v) }

func version(v pkcs11.Version) C.CK_VERSION {
	return C.CK_VERSION{major: C.CK_BYTE(v.Major), minor: C.CK_BYTE(v.Minor)}
}

// pad fills a field of fixed size with s and blanks. What does not fit is cut
// off between characters.
func pad(field []C.CK_UTF8CHAR, s string) {
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
	pad(c.manufacturerID[:], v.Manufacturer)
	pad(c.libraryDescription[:], v.Description)
	c.libraryVersion = version(v.Library)
	return c
}

func slotInfoOf(v pkcs11.SlotInfo) (c C.CK_SLOT_INFO) {
	pad(c.slotDescription[:], v.Description)
	pad(c.manufacturerID[:], v.Manufacturer)
	c.flags = ulong(v.Flags)
	c.hardwareVersion = version(v.Hardware)
	c.firmwareVersion = version(v.Firmware)
	return c
}

func tokenInfoOf(v pkcs11.TokenInfo) (c C.CK_TOKEN_INFO) {
	pad(c.label[:], v.Label)
	pad(c.manufacturerID[:], v.Manufacturer)
	pad(c.model[:], v.Model)
	pad(c.serialNumber[:], v.Serial)
	c.flags = ulong(v.Flags)
	c.ulMaxSessionCount, c.ulSessionCount = ulong(v.MaxSession), ulong(v.Session)
	c.ulMaxRwSessionCount, c.ulRwSessionCount = ulong(v.MaxRWSession), ulong(v.RWSession)
	c.ulMaxPinLen, c.ulMinPinLen = ulong(v.MaxPIN), ulong(v.MinPIN)
	c.ulTotalPublicMemory, c.ulFreePublicMemory = ulong(v.TotalPublic), ulong(v.FreePublic)
	c.ulTotalPrivateMemory, c.ulFreePrivateMemory = ulong(v.TotalPrivate), ulong(v.FreePrivate)
	c.hardwareVersion = version(v.Hardware)
	c.firmwareVersion = version(v.Firmware)
	pad(c.utcTime[:], v.UTCTime)
	return c
}

func sessionInfoOf(v pkcs11.SessionInfo) C.CK_SESSION_INFO {
	return C.CK_SESSION_INFO{
		slotID: ulong(v.Slot), state: ulong(v.State), flags: ulong(v.Flags), ulDeviceError: ulong(v.DeviceError),
	}
}

func mechanismInfoOf(v pkcs11.MechanismInfo) C.CK_MECHANISM_INFO {
	return C.CK_MECHANISM_INFO{
		ulMinKeySize: ulong(v.MinKeySize), ulMaxKeySize: ulong(v.MaxKeySize), flags: ulong(v.Flags),
	}
}
