// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/internal/store"
	"libzk_pkcs11/pkcs11"
)

func TestFindCodes(t *testing.T) {
	for _, test := range []struct{ args, want string }{
		{"4 2", "4-2"},
		{"4-2", "4-2"},
		{"4", "4-1 4-2"},
		{"5", "5"},
		{"6", "6 6-1 6-2 6-3"},
		{"22 9", "22-9"},
		{"2", ""},
		{"5 1", ""},
		{"4 two", ""},
		{"-4", ""},
	} {
		found, err := findCodes(strings.Fields(test.args))
		var names []string
		for _, c := range found {
			names = append(names, c.String())
			if c.Meaning == "" {
				t.Errorf("%s has no meaning", c)
			}
		}
		if got := strings.Join(names, " "); got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%q: %q, %v, want %q", test.args, got, err, test.want)
		}
	}
}

func TestTapDirection(t *testing.T) {
	for text, want := range map[string][2]int{"x+": {0, 1}, "y-": {1, -1}, "z+": {2, 1}} {
		if axis, sign, ok := tapDirection(text); !ok || axis != want[0] || sign != want[1] {
			t.Errorf("%q: %d, %d, %v", text, axis, sign, ok)
		}
	}
	for _, text := range []string{"", "x", "+", "+x", "w+", "x*", "x++"} {
		if _, _, ok := tapDirection(text); ok {
			t.Errorf("%q is a direction", text)
		}
	}
}

func TestParseGroups(t *testing.T) {
	for _, test := range []struct {
		text string
		want []shareGroup
	}{
		{"2of3", []shareGroup{{2, 3}}},
		{"1of1,3of5", []shareGroup{{1, 1}, {3, 5}}},
		{"", nil},
		{"2", nil},
		{"of", nil},
		{"2of", nil},
		{"twoof3", nil},
		{"2of3,", nil},
		{"2of3of4", nil},
	} {
		got, err := parseGroups(test.text)
		if !reflect.DeepEqual(got, test.want) || (err == nil) != (test.want != nil) {
			t.Errorf("%q: %v, %v, want %v", test.text, got, err, test.want)
		}
	}
}

func TestExplain(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{pkcs11.CKR_PIN_INCORRECT, "the PIN is wrong; too many wrong ones lock it (CKR_PIN_INCORRECT)"},
		{pkcs11.CKR_HOST_MEMORY, "CKR_HOST_MEMORY"},
		{fmt.Errorf("slot 1: %w", store.ErrNoPIN), "slot 1: PIN has not been set; initialise the token by \"token init\" (--init-token), or name the state directory of another by ZK_PKCS11_HOME"},
		{fmt.Errorf("slot 20: %w", scm.ErrSlotEmpty), "slot 20: key slot is empty; \"scm slots\" and \"scm wallet list\" show the keys that there are"},
	} {
		if got := explain(test.err); got != test.want {
			t.Errorf("%v: %q, want %q", test.err, got, test.want)
		}
	}
}

// scripted is a prompter whose answers come from a file or a pipe.
func scripted(input string) *prompter {
	return &prompter{in: strings.NewReader(input), err: io.Discard}
}

func TestConfirm(t *testing.T) {
	for _, test := range []struct {
		input string
		yes   bool
		want  bool
	}{
		{"yes\n", false, true},
		{"yes", false, true},
		{"yes\r\n", false, true},
		{"y\n", false, false},
		{"no\n", false, false},
		{"\n", false, false},
		{"", false, false},
		{"", true, true},
	} {
		x := &scmTool{yes: test.yes, ask: scripted(test.input)}
		if err := x.confirm("Sure?"); (err == nil) != test.want {
			t.Errorf("answer %q, --yes %v: %v", test.input, test.yes, err)
		}
	}
}

func TestPrompter(t *testing.T) {
	ask := scripted("one\ntwo\ntwo\nthree\nfour\n")
	for _, test := range []struct {
		ask  asker
		from option
		want string
	}{
		{ask.newSecret, option{"0000", true}, "0000"},
		{ask.secret, option{"0000", true}, "0000"},
		{ask.secret, option{}, "one"},
		{ask.newSecret, option{}, "two"},
		{ask.newSecret, option{}, ""}, // three is not four
		{ask.secret, option{}, ""},
	} {
		got, err := test.ask("PIN", test.from)
		if string(got) != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%+v: %q, %v", test.from, got, err)
		}
	}
}
