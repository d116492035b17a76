// SPDX-License-Identifier: Apache-2.0

package abi

import (
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// interfaceOf is what a header declares, found in preprocessed text.
type interfaceOf struct {
	constants  map[string]bool
	types      map[string]bool
	fields     map[string][]string // by the name of the structure's type
	prototypes map[string]string   // types of parameters, by the name of the function
}

var (
	constantLine = regexp.MustCompile(`(?m)^#define (CK[A-Z]?_\w+) +([0-9(~]|CK[A-Z]?_)`)
	structBody   = regexp.MustCompile(`struct\s*(\w*)\s*\{([^{}]*)\}`)
	funcPointer  = regexp.MustCompile(`^[^(]*\(\s*\*\s*(\w+)\s*\)\s*\(`)
	prototype    = regexp.MustCompile(`^(?:extern\s+)?CK_RV\s+(C_\w+)\s*\(([^()]*)\)$`)
	lastWord     = regexp.MustCompile(`(\w+)\s*(?:\[[^\]]*\])?\s*$`)
)

// scan reads a header's macros (cc -E -dM) and declarations (cc -E -P).
func scan(macros, declarations string) interfaceOf {
	s := scanner{
		interfaceOf: interfaceOf{map[string]bool{}, map[string]bool{}, map[string][]string{}, map[string]string{}},
		tags:        map[string][]string{},
		base:        map[string]string{},
	}
	for _, m := range constantLine.FindAllStringSubmatch(macros, -1) {
		s.constants[m[1]] = true
	}
	for _, statement := range statements(declarations) {
		s.statement(statement)
	}
	for name := range s.types {
		if fields := s.resolve(name); fields != nil {
			s.fields[name] = fields
		}
	}
	return s.interfaceOf
}

// statements splits at the semicolons outside of braces.
func statements(text string) []string {
	depth := 0
	return strings.FieldsFunc(text, func(r rune) bool {
		switch r {
		case '{':
			depth++
		case '}':
			depth--
		}
		return r == ';' && depth == 0
	})
}

type scanner struct {
	interfaceOf
	tags map[string][]string // fields by "struct TAG"
	base map[string]string   // what a type's name stands for
}

func (s *scanner) statement(text string) {
	text = strings.TrimSpace(text)
	if m := structBody.FindStringSubmatch(text); m != nil {
		tag := m[1]
		if tag == "" {
			tag = "nameless in " + lastWord.FindString(text)
		}
		s.tags["struct "+tag] = fieldNames(m[2])
		text = structBody.ReplaceAllLiteralString(text, "struct "+tag)
	}
	if rest, ok := strings.CutPrefix(text, "typedef "); ok {
		s.typedef(rest)
	}
	if m := prototype.FindStringSubmatch(text); m != nil {
		s.prototypes[m[1]] = parameterTypes(m[2])
	}
}

// typedef notes the names that begin with CK_.
func (s *scanner) typedef(text string) {
	if m := funcPointer.FindStringSubmatch(text); m != nil {
		s.name(m[1], "")
		return
	}
	for i, declarator := range strings.Split(text, ",") {
		name := lastWord.FindStringSubmatch(declarator)
		if name == nil {
			continue
		}
		base := strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(declarator), name[1]))
		if i > 0 || strings.Contains(base, "*") {
			base = "" // a pointer: its fields are its target's
		}
		s.name(name[1], base)
	}
}

func (s *scanner) name(name, base string) {
	if strings.HasPrefix(name, "CK_") {
		s.types[name] = true
		s.base[name] = strings.Join(strings.Fields(base), " ")
	}
}

// resolve follows names of types to the fields of a structure.
func (s *scanner) resolve(name string) []string {
	for name != "" {
		if fields, ok := s.tags[name]; ok {
			return fields
		}
		name = s.base[name]
	}
	return nil
}

func fieldNames(body string) []string {
	var names []string
	for _, field := range strings.Split(body, ";") {
		if m := lastWord.FindStringSubmatch(field); m != nil {
			names = append(names, m[1])
		}
	}
	return names
}

// parameterTypes takes the names of the parameters away.
func parameterTypes(list string) string {
	var types []string
	for _, parameter := range strings.Split(list, ",") {
		words := strings.Fields(parameter)
		types = append(types, strings.Join(words[:max(len(words)-1, 0)], " "))
	}
	return strings.Join(types, ", ")
}

func TestScan(t *testing.T) {
	got := scan("#define CKA_X 1\n#define CKA_Y (CKA_X|2)\n#define CKA_Z CKA_X\n#define CK_PTR *\n#define CK_F(x) x\n#define CK_EMPTY \n#define OTHER 1\n", `
typedef unsigned long CK_ULONG, *CK_ULONG_PTR;
typedef struct CK_A { CK_ULONG one; unsigned char two[4]; } CK_A, *CK_A_PTR;
struct _CK_B { CK_ULONG three; };
typedef struct _CK_B CK_B;
typedef CK_B CK_C;
typedef struct { CK_A four; } CK_D;
typedef CK_ULONG (*CK_CALL)(CK_ULONG x, void *y);
typedef struct other { int five; } other;
extern CK_RV C_One ( CK_ULONG x, CK_A_PTR y );
CK_RV C_Two(CK_ULONG x);
`)
	want := interfaceOf{
		constants:  map[string]bool{"CKA_X": true, "CKA_Y": true, "CKA_Z": true},
		types:      map[string]bool{"CK_ULONG": true, "CK_ULONG_PTR": true, "CK_A": true, "CK_A_PTR": true, "CK_B": true, "CK_C": true, "CK_D": true, "CK_CALL": true},
		fields:     map[string][]string{"CK_A": {"one", "two"}, "CK_B": {"three"}, "CK_C": {"three"}, "CK_D": {"four"}},
		prototypes: map[string]string{"C_One": "CK_ULONG, CK_A_PTR", "C_Two": "CK_ULONG"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("scan: %v\nwant  %v", got, want)
	}
}
