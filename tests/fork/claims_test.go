// SPDX-License-Identifier: Apache-2.0

package fork_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// What a host sees of the setting "fork": claimed or not, and that alike before and after
// the first call; or that fails, after which no claim counts.
const (
	strict  = "0 0x0 0\n"
	inherit = "1 0x0 1\n"
	refused = "0 0x5 0\n"
)

// claims are files of settings. Before the first call they are read in C, by it in Go.
var claims = []struct{ name, text, want string }{
	{"empty", "", strict},
	{"plain", "fork = \"inherit\"\n", inherit},
	{"without a last newline", `fork="inherit"`, inherit},
	{"single quotes", "fork = 'inherit'", inherit},
	{"strict", "fork = 'strict'", strict},
	{"quoted key", "\"fork\" = 'inherit'", inherit},
	{"key in single quotes", "'fork' = 'inherit'", inherit},
	{"long quotes", "fork = \"\"\"inherit\"\"\"", inherit},
	{"long quotes over two lines", "fork = '''\ninherit'''", inherit},
	{"blanks", " \t fork\t =  'inherit' \t\n", inherit},
	{"comments", "# fork = 'strict'\nfork = 'inherit' # fork = 'strict'\n#fork = 'strict'", inherit},
	{"commented out", "# fork = 'inherit'\n#fork = 'inherit'", strict},
	{"comment behind a value", "trace = '/dev/null' # \"\nfork = 'inherit'", inherit},
	{"a sharp in a string", "log = {to = '/dev/null#'}\nfork = 'inherit'", inherit},
	{"lines of another system", "backend = 'soft'\r\n\r\n# x\r\nfork = 'inherit'\r\n", inherit},
	{"long quotes with such a line", "fork = \"\"\"\r\ninherit\"\"\"\r\n", inherit},
	{"byte order mark", "\xef\xbb\xbffork = 'inherit'", inherit},
	{"behind others", "backend = 'soft'\nquirks = [\n  'libp11-key-types', # ]\n  \"openssh-curves\",\n]\nfork = 'inherit'", inherit},
	{"behind a dotted key", "soft.seal = 'pin'\nfork = 'inherit'", inherit},
	{"behind an inline table", "zymbit = {boot_wait = '1s', library = '}'}\nfork = 'inherit'", inherit},
	{"tables after it", "fork = 'inherit'\n[soft]\nseal = 'pin'\n[[slot]]\n", inherit},
	{"in a string", "trace = '/dev/null'\nstate_group = \"\"\"\nfork = 'inherit'\n\"\"\"\nquirks = 'none'", strict},
	{"an escaped quote before it", "ec_point = \"der\"\nstate_group = \"\\\"\\nfork = 'inherit'\"", strict},
	{"in a table", "[soft]\nfork = 'inherit'", refused},
	{"in a slot", "[[slot]]\nfork = 'inherit'", refused},
	{"dotted", "soft.fork = 'inherit'", refused},
	{"another word", "fork = 'inherits'", refused},
	{"other case", "fork = 'Inherit'", refused},
	{"a truth", "fork = true", refused},
	{"no quotes", "fork = inherit", refused},
	{"open quotes", "fork = 'inherit", refused},
	{"quotes over two lines", "fork = \"\ninherit\"", refused},
	{"no value", "fork =", refused},
	{"key alone", "fork", refused},
	{"unknown setting with a value that looks like it", "forks = \"inherit\"", refused},
}

func TestClaims(t *testing.T) {
	program := harness.Compile(t, "testdata/claims.c")
	for _, tt := range claims {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "zk.toml")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			expectClaims(t, program, tt.want, "ZK_PKCS11_CONF="+file)
			expectClaims(t, program, strictUnless(tt.want == refused), "ZK_PKCS11_CONF="+file, "ZK_PKCS11_FORK=strict")
		})
	}
}

// strictUnless is strict, unless the file is one that is refused.
func strictUnless(refuses bool) string {
	if refuses {
		return refused
	}
	return strict
}

// expectClaims runs the host with the variables.
func expectClaims(t *testing.T, program, want string, variables ...string) {
	t.Helper()
	home := harness.NewHome(t)
	cmd := home.Command(program, harness.Module(t), "print")
	cmd.Env = append(cmd.Env, variables...)
	if out, err := cmd.Output(); err != nil || string(out) != want {
		t.Errorf("%q with %q: %v, want %q", out, variables, err, want)
	}
}

func TestClaimsOfVariables(t *testing.T) {
	program := harness.Compile(t, "testdata/claims.c")
	directory := t.TempDir()
	file := filepath.Join(directory, "zk.toml")
	if err := os.WriteFile(file, []byte("fork = 'inherit'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		file, variable, want string
	}{
		{"", "inherit", inherit},
		{"", "strict", strict},
		{"", "", strict},
		{file, "", inherit},
		{file, "strict", strict},
		{file, "nonsense", refused},
		{filepath.Join(directory, "missing"), "", refused},
		{filepath.Join(directory, "missing"), "strict", refused},
		{directory, "", refused},
	} {
		t.Run(fmt.Sprintf("%s,%s", filepath.Base(tt.file), tt.variable), func(t *testing.T) {
			expectClaims(t, program, tt.want, "ZK_PKCS11_CONF="+tt.file, "ZK_PKCS11_FORK="+tt.variable)
		})
	}
}

// TestClaimsStay: what was claimed at C_Initialize is, to C_Finalize and in children.
func TestClaimsStay(t *testing.T) {
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_FORK", "inherit")
	if out := home.Run(harness.Compile(t, "testdata/claims.c"), harness.Module(t), "handed-down"); out != "" {
		t.Errorf("printed %q", out)
	}
}
