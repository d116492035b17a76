// SPDX-License-Identifier: Apache-2.0

package hd

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

var secret = []byte("thirty-two bytes of a secret....")

// deal splits a secret among the members of groups.
func deal(secret []byte, passphrase string, groups []Group, threshold, exponent int) ([][]Share, error) {
	all, err := Split(secret, passphrase, len(groups), threshold, exponent)
	if err != nil {
		return nil, err
	}
	shares := make([][]Share, len(groups))
	for i, s := range all {
		if shares[i], err = s.Members(groups[i]); err != nil {
			return nil, err
		}
	}
	return shares, nil
}

// add adds the shares given as {group, member}.
func add(t *testing.T, r *Recovery, shares [][]Share, which ...[2]int) {
	t.Helper()
	for _, w := range which {
		s, err := ParseShare(shares[w[0]][w[1]].String())
		must(t, err)
		must(t, r.Add(s))
	}
}

func TestSplit(t *testing.T) {
	groups := []Group{{1, 1}, {3, 2}, {5, 3}}
	shares, err := deal(secret, "passphrase", groups, 2, 0)
	must(t, err)
	for i, g := range groups {
		if len(shares[i]) != g.Members {
			t.Fatalf("group %d has %d shares", i, len(shares[i]))
		}
	}
	if n := len(strings.Fields(shares[2][4].String())); n != 33 {
		t.Errorf("a share has %d words, want 33", n)
	}
	for _, test := range []struct {
		name  string
		which [][2]int
		want  bool
	}{
		{"nothing", nil, false},
		{"one group", [][2]int{{0, 0}}, false},
		{"one group of three", [][2]int{{2, 0}, {2, 1}, {2, 2}}, false},
		{"too few members", [][2]int{{0, 0}, {1, 2}}, false},
		{"two groups", [][2]int{{0, 0}, {1, 2}, {1, 0}}, true},
		{"other two groups", [][2]int{{2, 4}, {1, 1}, {2, 0}, {1, 0}, {2, 3}}, true},
		{"more than enough", [][2]int{{2, 4}, {1, 1}, {2, 0}, {2, 1}, {1, 0}, {1, 2}, {0, 0}, {2, 3}, {2, 2}}, true},
	} {
		var r Recovery
		add(t, &r, shares, test.which...)
		got, err := r.Secret("passphrase")
		if r.Complete() != test.want || (err == nil) != test.want || test.want && !bytes.Equal(got, secret) {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
		if !test.want {
			wantError(t, test.name, err, ErrShares)
		} else if other, err := r.Secret("another"); err != nil || bytes.Equal(other, secret) {
			t.Errorf("%s: %q, %v with another passphrase", test.name, other, err)
		}
	}
}

func TestSplitMost(t *testing.T) {
	groups := slices.Repeat([]Group{{16, 16}}, 16)
	shares, err := deal(secret, "", groups, 16, 0)
	must(t, err)
	var r Recovery
	for i := range shares {
		for j := range shares[i] {
			add(t, &r, shares, [2]int{i, j})
		}
	}
	if got, err := r.Secret(""); err != nil || !bytes.Equal(got, secret) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestSplitErrors(t *testing.T) {
	one := []Group{{1, 1}}
	for _, test := range []struct {
		name                string
		secret              []byte
		groups              []Group
		threshold, exponent int
	}{
		{"short secret", secret[:14], one, 1, 0},
		{"odd secret", secret[:17], one, 1, 0},
		{"no groups", secret, nil, 0, 0},
		{"no threshold", secret, one, 0, 0},
		{"threshold", secret, one, 2, 0},
		{"groups", secret, slices.Repeat(one, 17), 1, 0},
		{"negative exponent", secret, one, 1, -1},
		{"exponent", secret, one, 1, 16},
		{"no members", secret, []Group{{0, 0}}, 1, 0},
		{"member threshold", secret, []Group{{2, 3}}, 1, 0},
		{"no member threshold", secret, []Group{{2, 0}}, 1, 0},
		{"members", secret, []Group{{17, 2}}, 1, 0},
		{"one of several", secret, []Group{{2, 1}}, 1, 0},
	} {
		_, err := deal(test.secret, "", test.groups, test.threshold, test.exponent)
		wantError(t, test.name, err, ErrShares)
	}
}

func TestStrangeShares(t *testing.T) {
	shares, err := deal(secret, "", []Group{{3, 2}, {2, 2}}, 1, 0)
	must(t, err)
	others, err := deal(secret, "", []Group{{3, 2}, {2, 2}}, 1, 0)
	must(t, err)
	var r Recovery
	add(t, &r, shares, [2]int{0, 0})
	wantError(t, "the same share", r.Add(shares[0][0]), ErrShares)
	wantError(t, "share of another secret", r.Add(others[0][1]), ErrShares)
	forged := shares[0][1]
	forged.MemberThreshold = 3
	wantError(t, "another threshold", r.Add(forged), ErrShares)
	forged = shares[0][1]
	forged.Value = bytes.Repeat([]byte{1}, 32)
	must(t, r.Add(forged))
	_, err = r.Secret("")
	wantError(t, "forged share", err, ErrShares)
}

func TestProtect(t *testing.T) {
	shares, err := deal(secret, "", []Group{{2, 2}}, 1, 0)
	must(t, err)
	for _, s := range shares[0] {
		same, err := s.Protect("")
		if err != nil || same.String() != s.String() {
			t.Errorf("no passphrase changes the share: %v", err)
		}
		hidden, err := s.Protect("of a member")
		must(t, err)
		wrong, err := hidden.Unprotect("of another")
		must(t, err)
		right, err := hidden.Unprotect("of a member")
		must(t, err)
		if hidden.String() == s.String() || wrong.String() == s.String() || right.String() != s.String() {
			t.Errorf("%q, protected %q, with the wrong passphrase %q, with the right one %q", s, hidden, wrong, right)
		}
	}
}

func TestParseShareErrors(t *testing.T) {
	shares, err := deal(secret, "", []Group{{1, 1}}, 1, 0)
	must(t, err)
	words := strings.Fields(shares[0][0].String())
	if _, err := ParseShare("  " + strings.ToUpper(strings.Join(words, "\n "))); err != nil {
		t.Errorf("other spacing and case: %v", err)
	}
	for i := range words {
		changed := slices.Clone(words)
		changed[i] = "zero"
		if words[i] == "zero" {
			changed[i] = "academic"
		}
		for name, sentence := range map[string]string{
			"changed":   strings.Join(changed, " "),
			"shortened": strings.Join(slices.Delete(slices.Clone(words), i, i+1), " "),
			"strange":   strings.Join(append(slices.Clone(words[:i]), "strange!"), " "),
		} {
			_, err := ParseShare(sentence)
			wantError(t, name, err, ErrMnemonic)
		}
	}
}

// TestWords checks the properties that the standard gives its list.
func TestWords(t *testing.T) {
	words := wordList()
	if len(words) != 1024 || !slices.IsSorted(words) {
		t.Errorf("%d words", len(words))
	}
	beginnings := make(map[string]bool)
	for _, w := range words {
		if len(w) < 4 || len(w) > 8 || beginnings[w[:4]] {
			t.Errorf("word %q", w)
		}
		beginnings[w[:4]] = true
	}
}

func TestField(t *testing.T) {
	for a := range 256 {
		if got := multiply(byte(a), inverse(byte(a))); a != 0 && got != 1 {
			t.Errorf("%d times its inverse is %d", a, got)
		}
	}
	// An example of FIPS 197, section 4.2.
	if got := multiply(0x57, 0x83); got != 0xc1 {
		t.Errorf("0x57 times 0x83 is %#x", got)
	}
	if _, err := recoverSecret([]point{{1, make([]byte, 16)}, {2, make([]byte, 16)}}); !errors.Is(err, ErrShares) {
		t.Errorf("shares of nothing: error %v", err)
	}
}
