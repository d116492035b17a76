// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"regexp"
	"testing"
)

// vendorFunctions is how many functions the vendor's C API has.
const vendorFunctions = 76

func TestVendorHeaderCompiles(t *testing.T) {
	for _, compiler := range [][]string{
		{"gcc", "-std=c11"},
		{"g++", "-std=c++11", "-x", "c++"},
		{"arm-linux-gnueabihf-gcc", "-std=c11"},
	} {
		t.Run(compiler[0], func(t *testing.T) {
			need(t, compiler[0])
			args := append(compiler[1:], "-Wall", "-Wextra", "-Werror", "-pedantic", "-I", include(t), "-fsyntax-only")
			output(t, compiler[0], append(args, "testdata/apputils.c")...)
		})
	}
}

func TestVendorHeaderIsComplete(t *testing.T) {
	need(t, "gcc")
	text := output(t, "gcc", "-E", "-P", "-I", include(t), "testdata/apputils.c")
	names := map[string]bool{}
	for _, m := range regexp.MustCompile(`\bint (zk\w+) \(`).FindAllStringSubmatch(text, -1) {
		if names[m[1]] {
			t.Errorf("%s is declared twice", m[1])
		}
		names[m[1]] = true
	}
	if len(names) != vendorFunctions {
		t.Errorf("%d functions are declared, not %d", len(names), vendorFunctions)
	}
}
