// SPDX-License-Identifier: Apache-2.0

package main

// #include "pkcs11.h"
import "C"

import (
	"cmp"
	"strconv"

	"libzk_pkcs11/internal/trace"
	"libzk_pkcs11/pkcs11"
)

// What a trace shows of arguments: see trace.Arg. The functions below are run
// for every call, traced or not, and only put numbers aside.

func slotArg(id C.CK_SLOT_ID) trace.Arg          { return trace.Arg{Name: "slot", Value: uint(id)} }
func sessionArg(h C.CK_SESSION_HANDLE) trace.Arg { return trace.Arg{Name: "session", Value: uint(h)} }
func objectArg(h C.CK_OBJECT_HANDLE) trace.Arg   { return trace.Arg{Name: "object", Value: uint(h)} }
func userArg(u C.CK_USER_TYPE) trace.Arg         { return trace.Arg{Name: "user", Value: uint(u)} }
func lengthArg(n C.CK_ULONG) trace.Arg           { return trace.Arg{Name: "length", Value: uint(n)} }

func flagsArg(f C.CK_FLAGS) trace.Arg {
	return trace.Arg{Name: "flags", Value: uint(f), Show: hexText}
}

func mechanismArg(m C.CK_MECHANISM_PTR) trace.Arg {
	if m == nil {
		return trace.Arg{Name: "mechanism", Show: showNull}
	}
	return trace.Arg{Name: "mechanism", Show: mechanismName, List: mechanismPointer{m}.listTypes}
}

func showNull(uint) string { return "NULL" }

// mechanismPointer is a mechanism that is looked at when the call has ended, if calls are
// traced.
type mechanismPointer struct{ m C.CK_MECHANISM_PTR }

func (p mechanismPointer) listTypes() []uint { return []uint{uint(p.m.mechanism)} }

func mechanismTypeArg(m C.CK_MECHANISM_TYPE) trace.Arg {
	return trace.Arg{Name: "mechanism", Value: uint(m), Show: mechanismName}
}

func typesArg(t C.CK_ATTRIBUTE_PTR, n C.CK_ULONG) trace.Arg {
	return trace.Arg{Name: "types", Show: attributeName, List: templatePointer{t, n}.listTypes}
}

// templatePointer is a template that is looked at when the call has ended, if calls are
// traced.
type templatePointer struct {
	t C.CK_ATTRIBUTE_PTR
	n C.CK_ULONG
}

// listTypes returns the types in a template, and nothing for one that is refused.
func (p templatePointer) listTypes() []uint {
	if p.t == nil {
		return nil
	}
	var list []uint
	for _, a := range attributes(new(call), p.t, p.n) {
		list = append(list, uint(a._type))
	}
	return list
}

// Values are shown by their names in the specification, or as numbers when they
// have none there.

func mechanismName(v uint) string { return cmp.Or(pkcs11.MechanismName(v), hexText(v)) }
func attributeName(v uint) string { return cmp.Or(pkcs11.AttributeName(v), hexText(v)) }

func hexText(v uint) string { return "0x" + strconv.FormatUint(uint64(v), 16) }
