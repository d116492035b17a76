// SPDX-License-Identifier: Apache-2.0

package util

import (
	"reflect"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// manifest is what the commands about supervised boot print.
type manifest struct{ Files, Wrong []string }

func TestManifest(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.bootFile("kernel8.img", "kernel")
	x.bootFile("config.txt", "config")
	if out := x.scm("manifest", "list"); !strings.Contains(out, "empty") {
		t.Errorf("%q", out)
	}
	var m manifest
	x.parse(&m, "", "manifest", "add", "kernel8.img", "config.txt", "--key-slot", "3")
	if want := []string{"config.txt", "kernel8.img"}; !reflect.DeepEqual(m.Files, want) {
		t.Errorf("%v, want %v", m.Files, want)
	}
	x.scm("manifest", "add", "kernel8.img")
	if out := x.scm("manifest", "remove", "config.txt"); out != "kernel8.img\n" {
		t.Errorf("%q", out)
	}
	for line, part := range map[string]string{
		"manifest add missing":                   "boot file \"missing\"",
		"manifest add ../boot/kernel8.img":       "relative",
		"manifest add kernel8.img --key-slot 16": "slot 16",
		"manifest remove config.txt":             "not in the manifest",
	} {
		if line == "manifest add missing" && !harness.OverVendor() {
			part = x.boot
		}
		x.fails("", words(line), part)
	}
	if out := x.scm("manifest", "list"); out != "kernel8.img\n" {
		t.Errorf("the mistakes left something: %q", out)
	}
}

// What one backend signs, the soft SCM verifies.
func TestManifestVerify(t *testing.T) {
	t.Parallel()
	x := newAnyTool(t, "")
	x.bootFile("kernel8.img", "kernel")
	x.bootFile("config.txt", "config")
	x.scm("manifest", "add", "kernel8.img", "config.txt")
	if harness.OverVendor() {
		x.fails("", words("manifest verify"), "no function for it", "scm led 4 2")
		x.home.Set("ZK_PKCS11_BACKEND", "soft")
	}
	if out := x.scm("manifest", "verify"); out != "ok     config.txt\nok     kernel8.img\n" {
		t.Errorf("%q", out)
	}
	x.bootFile("kernel8.img", "another kernel")
	out, errs, err := x.run("", "scm", "manifest", "verify")
	if err == nil || out != "ok     config.txt\nWRONG  kernel8.img\n" || !strings.Contains(errs, "1 of 2") {
		t.Errorf("%v, %q, %q", err, out, errs)
	}
	if out, _, err := x.run("", words("scm manifest verify --json")...); err == nil || !strings.Contains(out, "\"wrong\"") {
		t.Errorf("%v, %q", err, out)
	}
	x.scm("manifest", "add", "kernel8.img")
	x.scm("manifest", "verify")
}
