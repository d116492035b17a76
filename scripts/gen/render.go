// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"go/constant"
	"go/format"
	"go/token"
	"slices"
	"strings"
)

// groups are the blocks of constants in their order, each with its comment.
var groups = []struct{ prefix, comment string }{
	{"CRYPTOKI_", "The version of the specification."},
	{"CK_", "Values of general types."},
	{"CKF_", "Flags, by the field that holds them."},
	{"CKN_", "Notifications."},
	{"CKU_", "Types of users."},
	{"CKS_", "States of sessions."},
	{"CKR_", "Return values."},
	{"CKO_", "Classes of objects."},
	{"CKH_", "Types of hardware features; variants of hedged signatures."},
	{"CKC_", "Types of certificates."},
	{"CKT_", "Values of trust."},
	{"CKV_", "Types of validations, and of their authorities."},
	{"CKK_", "Types of keys."},
	{"CKA_", "Attributes."},
	{"CKM_", "Mechanisms."},
	{"CKG_", "Mask generation functions; generators of initialisation vectors."},
	{"CKZ_", "Sources of encoding parameters and of salts."},
	{"CKD_", "Key derivation functions."},
	{"CKP_", "Profiles; pseudo-random functions; parameter sets."},
}

// lookups are the functions that give the name of a value, and their tables.
var lookups = []struct{ prefix, function, parameter, table, comment string }{
	{"CKR_", "errorName", "Error", "errorNames", "a return value"},
	{"CKA_", "AttributeName", "uint", "attributeNames", "an attribute"},
	{"CKM_", "MechanismName", "uint", "mechanismNames", "a mechanism"},
}

const preamble = `// SPDX-License-Identifier: Apache-2.0

// Code generated from include/pkcs11.h and include/zk_pkcs11.h; DO NOT EDIT.

package pkcs11
`

// render writes the generated files.
func render(constants []cconst) (map[string][]byte, error) {
	byPrefix, err := split(constants)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for name, text := range map[string]string{
		"zconst.go": renderConstants(byPrefix),
		"znames.go": renderNames(byPrefix),
	} {
		if files[name], err = format.Source([]byte(text)); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return files, nil
}

// split sorts the constants into their groups.
func split(constants []cconst) (map[string][]cconst, error) {
	known := map[string]bool{}
	for _, g := range groups {
		known[g.prefix] = true
	}
	byPrefix := map[string][]cconst{}
	for _, c := range constants {
		prefix := c.name[:strings.IndexByte(c.name, '_')+1]
		if !known[prefix] {
			return nil, fmt.Errorf("%s belongs to no group of constants", c.name)
		}
		byPrefix[prefix] = append(byPrefix[prefix], c)
	}
	return byPrefix, nil
}

func renderConstants(byPrefix map[string][]cconst) string {
	var b bytes.Buffer
	b.WriteString(preamble)
	for _, g := range groups {
		fmt.Fprintf(&b, "\n// %s\nconst (\n", g.comment)
		for _, c := range byPrefix[g.prefix] {
			fmt.Fprintf(&b, "\t%s %s = %s\n", c.name, goType(g.prefix), goValue(c))
		}
		b.WriteString(")\n")
	}
	return b.String()
}

// goType is Error for return values; all others stay untyped.
func goType(prefix string) string {
	if prefix == "CKR_" {
		return "Error"
	}
	return ""
}

func goValue(c cconst) string {
	switch {
	case c.alias != "":
		return c.alias
	case c.allOnes():
		return "^uint(0)"
	}
	n, _ := constant.Uint64Val(c.value)
	if strings.HasPrefix(c.name, "CK_") || strings.HasPrefix(c.name, "CRYPTOKI_") {
		return fmt.Sprint(n) // counted, where the others are codes or bits
	}
	return fmt.Sprintf("0x%08x", n)
}

// search is what the functions have in common.
const search = `
// namedValues is a table of names that is sorted by values.
type namedValues []struct {
	value uint
	name  string
}

func (t namedValues) find(value uint) string {
	first, end := 0, len(t)
	for first < end {
		if middle := (first + end) / 2; t[middle].value < value {
			first = middle + 1
		} else {
			end = middle
		}
	}
	if first < len(t) && t[first].value == value {
		return t[first].name
	}
	return ""
}
`

func renderNames(byPrefix map[string][]cconst) string {
	var b bytes.Buffer
	b.WriteString(preamble)
	b.WriteString(search)
	for _, l := range lookups {
		fmt.Fprintf(&b, "\n// %s returns the name of %s, or \"\" for one that the headers do not have.\n", l.function, l.comment)
		fmt.Fprintf(&b, "func %s(v %s) string { return %s.find(uint(v)) }\n", l.function, l.parameter, l.table)
		fmt.Fprintf(&b, "\nvar %s = namedValues{\n", l.table)
		for _, c := range sorted(distinct(byPrefix[l.prefix])) {
			fmt.Fprintf(&b, "\t{%s, %q},\n", unsigned(l.prefix, c.name), c.name)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// unsigned is a constant as a uint.
func unsigned(prefix, name string) string {
	if t := goType(prefix); t != "" {
		return "uint(" + name + ")"
	}
	return name
}

// sorted orders constants by their values.
func sorted(constants []cconst) []cconst {
	slices.SortFunc(constants, compareValues)
	return constants
}

func compareValues(a, b cconst) int {
	switch {
	case constant.Compare(a.value, token.LSS, b.value):
		return -1
	case constant.Compare(b.value, token.LSS, a.value):
		return 1
	}
	return 0
}

// distinct leaves out further names of a value: the first one is its name.
func distinct(constants []cconst) []cconst {
	seen := map[string]bool{}
	var first []cconst
	for _, c := range constants {
		if key := c.value.ExactString(); !seen[key] {
			seen[key] = true
			first = append(first, c)
		}
	}
	return first
}
