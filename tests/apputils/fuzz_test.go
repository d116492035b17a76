// SPDX-License-Identifier: Apache-2.0

package apputils_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// refusals are the functions that an SCM in software never does.
var refusals = map[string]bool{
	"zkSetI2CAddr":                               true, // an SCM is not on an I²C bus
	"zkWaitForTap":                               true, // nobody taps
	"zkWaitForPerimeterEvent":                    true, // nobody breaks in
	"zkAddOrUpdateSupervisedBootFile":            true, // there are no such files
	"zkRemoveSupervisedBootFile":                 true,
	"zkGenOversightWallet":                       true, // needs a key on the right curve and a name that is free
	"zkAddSLIP39MemberPassword":                  true, // sessions take their steps in order
	"zkAddRestoreSLIP39Mnemonic":                 true,
	"zkSetSLIP39GroupInfo":                       true,
	"zkRestoreWalletMasterSeedFromBIP39Mnemonic": true, // needs a mnemonic with a right checksum
}

// TestFuzz calls all functions at random, for ZK_FUZZ_SECONDS (20 unless set).
func TestFuzz(t *testing.T) {
	for _, threads := range []int{1, 4} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			t.Parallel()
			fuzz(t, threads)
		})
	}
}

func fuzz(t *testing.T, threads int) {
	if strconv.IntSize < 64 {
		t.Skip("the program calls functions in a way that needs 64 bits")
	}
	harness.Need(t, "cc")
	program := harness.Compile(t, "testdata/fuzz.c", "-fsanitize=address,undefined", "-fno-sanitize-recover=undefined")
	seconds, seed := fuzzTime(t), fmt.Sprint(time.Now().UnixNano()>>10&0xffffff)
	t.Logf("seed %s", seed)
	ctx, cancel := context.WithTimeout(t.Context(), seconds+2*time.Minute)
	defer cancel()
	home := newHome(t)
	home.Set("ASAN_OPTIONS", "detect_leaks=0") // the Go runtime looks like one
	cmd := exec.CommandContext(ctx, program, library(t), fmt.Sprint(int(seconds.Seconds())), seed, fmt.Sprint(threads))
	cmd.Env, cmd.Dir = home.Environ(), t.TempDir()
	var problems strings.Builder
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, problems.String())
	}
	checkCounts(t, string(out))
}

func fuzzTime(t *testing.T) time.Duration {
	t.Helper()
	text := os.Getenv("ZK_FUZZ_SECONDS")
	if text == "" {
		return 20 * time.Second
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return time.Duration(n) * time.Second
}

// luckless is how many functions besides the refusals may have had no luck.
const luckless = 5

// checkCounts checks that the calls were not all refused, which would test little.
func checkCounts(t *testing.T, out string) {
	t.Helper()
	var idle []string
	functions, total := 0, 0
	for line := range strings.Lines(out) {
		var name string
		var calls, good int
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &calls, &good); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		functions, total = functions+1, total+calls
		if good == 0 && !refusals[name] {
			idle = append(idle, name)
		}
	}
	if functions != 76 {
		t.Errorf("%d functions", functions)
	}
	if len(idle) > luckless {
		t.Errorf("never succeeded in %d calls: %v", total, idle)
	}
	t.Logf("%d calls; without success: %v", total, idle)
}
