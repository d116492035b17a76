// SPDX-License-Identifier: Apache-2.0

package importing_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// TestImportKilled kills the tool while it imports, after calls that write, cut or sync files: at points that are spread over it, with
// ZK_SOAK after each. All objects are there, or none.
func TestImportKilled(t *testing.T) {
	harness.SoftOnly(t, harness.NoSeal)
	harness.Need(t, "pkcs11-tool")
	const objects = 6
	var many bytes.Buffer
	for i := range objects {
		many.Write(pemOf(selfSigned(t, fmt.Sprint("name ", i))))
	}
	file := filepath.Join(t.TempDir(), "many.pem")
	if err := os.WriteFile(file, many.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	preload := harness.Compile(t, "../sharing/testdata/dies.c", "-shared", "-fPIC")
	stride, after, none := 4, 1, 0
	if soaks() {
		stride = 1
	}
	home := harness.NewHome(t)
	home.Init()
	dying := *home
	for name, value := range map[string]string{"LD_PRELOAD": preload, "DIES_IN": home.Dir, "DIES_TOLD": os.DevNull} {
		dying.Set(name, value)
	}
	for ; ; after += stride {
		victim := dying
		victim.Set("DIES_AFTER", fmt.Sprint(after))
		_, err := (&tool{t, &victim}).run("pem", file)
		there := strings.Count(home.Run("pkcs11-tool", "--module", harness.Module(t), "--login", "--pin", harness.UserPIN, "--list-objects", "--type", "cert"), "Certificate Object")
		switch {
		case there == 0 && err != nil:
			none++
		case there == objects && err != nil:
			t.Logf("killed %d times with nothing, and once with all, after %d calls", none, after)
			return
		case there == objects:
			t.Logf("killed %d times with nothing; it lives after %d calls", none, after)
			if none == 0 {
				t.Error("it was never killed before it was done")
			}
			return
		default:
			t.Fatalf("killed after %d calls: %d of %d objects are there (%v)", after, there, objects, err)
		}
	}
}
