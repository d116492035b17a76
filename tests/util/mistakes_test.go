// SPDX-License-Identifier: Apache-2.0

package util

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Set-ups in which mistakes are made.
const (
	onNew       = "a new SCM"
	onToken     = "a token with a wallet"
	onLocked    = "a locked PIN"
	onLockedSO  = "a locked SO PIN"
	onUnbound   = "an SCM without its host"
	onDestroyed = "an SCM that has destroyed its keys"
	onNoLibrary = "no library of the vendor"
	onBadFile   = "settings in a wrong form"
	onBadWord   = "a setting that there is not"
	onBadTable  = "a setting below a table that is not its own"
	onNoFile    = "no file of settings"
	onDamaged   = "a token whose store is damaged"
	onOther     = "a new token where there is a backup of another"
	onNoPlace   = "a file in place of the state directory"
)

// mistake is a command line made wrong on purpose, or one at a bad time, and what the answer has to name:
// what is wrong, and after it what to do next.
type mistake struct {
	setup, line string
	code        int
	wrong, next string
	input       string
}

// Words of libraries, which say nothing to those who use the tool.
var foreignWords = regexp.MustCompile(`strconv\.|accepts \d|arg\(s\)|unknown flag|shorthand|invalid argument|invalid syntax|requires at least|0x[0-9a-f]{8}|\.go:|%!`)

// TestMistakes: an answer to a mistake says what is wrong and what to do, and how it ends tells a wrong
// command line from a bad time for a right one.
func TestMistakes(t *testing.T) {
	t.Parallel()
	rows := mistakes()
	if len(rows) < 80 {
		t.Errorf("only %d mistakes", len(rows))
	}
	bySetup := map[string][]mistake{}
	for _, m := range rows {
		bySetup[m.setup] = append(bySetup[m.setup], m)
	}
	for setup, rows := range bySetup {
		t.Run(setup, func(t *testing.T) {
			t.Parallel()
			x := newMistakenTool(t, setup)
			for _, m := range rows {
				x.try(m)
			}
		})
	}
}

// try makes a mistake.
func (x *tool) try(m mistake) {
	x.t.Helper()
	line := strings.ReplaceAll(m.line, "DIR", x.boot)
	out, errs, err := x.run(m.input, words(line)...)
	if exitCode(err) != m.code {
		x.t.Errorf("%q ends with %d, not %d:\n%s%s", m.line, exitCode(err), m.code, out, errs)
	}
	for _, part := range []string{m.wrong, m.next} {
		if part == "" || !strings.Contains(errs, part) {
			x.t.Errorf("%q does not say %q but\n%s", m.line, part, errs)
		}
	}
	if word := foreignWords.FindString(errs); word != "" {
		x.t.Errorf("%q says %q:\n%s", m.line, word, errs)
	}
}

// newMistakenTool makes a set-up. Its boot folder has files to be named.
func newMistakenTool(t *testing.T, setup string) *tool {
	t.Helper()
	x := newTool(t, "")
	for name, text := range map[string]string{"empty": "", "lines": "one\ntwo\n", "text": "no key\n", "pin": "12345678\n", "short": "12\n",
		"id.pub": "ssh-ed25519 AAAA somebody\n", "server.pem": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		x.bootFile(name, text)
	}
	conf := filepath.Join(x.home.Dir, "other.toml")
	switch setup {
	case onToken, onLocked, onLockedSO:
		x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
		x.mustRun("", words("scm wallet create savings --recovery none --pin 12345678")...)
		x.mustRun("", append(words("token backup --pin 12345678"), filepath.Join(x.boot, "backup"))...)
		x.cutBackup()
		x.mustRun("", words("token recovery create --pin 12345678")...)
	case onOther:
		x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
		x.mustRun("", append(words("token backup --pin 12345678"), filepath.Join(x.boot, "backup"))...)
		x.mustRun("", words("token delete --yes --slot 0")...)
		x.mustRun("", words("token init --label other --pin 12345678 --so-pin 87654321")...)
	case onUnbound:
		x.scm("inject", "unbind")
	case onDestroyed:
		x.scm("lock-binding", "--yes")
		x.bootFile("kernel", "right")
		x.scm("manifest", "add", "kernel")
		x.scm("inject", "boot")
		x.bootFile("kernel", "wrong")
		x.scm("inject", "boot")
	case onNoLibrary:
		x.home.Set("ZK_PKCS11_BACKEND", "zymbit")
		x.home.Set("ZK_APP_UTILS_LIB", "/nowhere/libzk_app_utils.so")
	case onBadFile, onBadWord, onBadTable:
		text := map[string]string{onBadFile: "state = \n", onBadWord: "colour = \"red\"\n", onBadTable: "[soft]\nshow = \"bound\"\n"}[setup]
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		fallthrough
	case onNoFile:
		x.home.Set("ZK_PKCS11_CONF", conf)
	case onDamaged:
		x.mustRun("", words("token init --label device --pin 12345678 --so-pin 87654321")...)
		if err := os.WriteFile(filepath.Join(x.home.Dir, "token.db"), []byte("damage"), 0o600); err != nil {
			t.Fatal(err)
		}
	case onNoPlace:
		x.home.Set("ZK_PKCS11_HOME", filepath.Join(x.boot, "text"))
	}
	if command, locks := map[string]string{
		onLocked: "token pin --pin wrong --new-pin 12345678", onLockedSO: "token unlock --so-pin wrong --new-pin 12345678",
	}[setup]; locks {
		for range 10 {
			x.run("", words(command)...)
		}
	}
	return x
}

// cutBackup makes a backup of which the end is missing.
func (x *tool) cutBackup() {
	x.t.Helper()
	whole, err := os.ReadFile(filepath.Join(x.boot, "backup"))
	if err != nil {
		x.t.Fatal(err)
	}
	x.bootFile("cut", string(whole[:len(whole)/2]))
}

// mistakes returns the table.
func mistakes() []mistake {
	return concat(wrongWords(), wrongOptions(), wrongPINs(), wrongTokens(), wrongSCM(), wrongKeys(), badTimes())
}

func concat(parts ...[]mistake) (all []mistake) {
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

// wrongWords are commands that there are not, and arguments that are missing or too many.
func wrongWords() []mistake {
	return []mistake{
		{setup: onNew, line: "bogus", code: 2, wrong: `unknown command "bogus"`, next: "zk_pkcs11-util --help lists"},
		{setup: onNew, line: "tokn list", code: 2, wrong: `"tokn"`, next: `did you mean "token"`},
		{setup: onNew, line: "token lsit", code: 2, wrong: `"lsit"`, next: `did you mean "token list"`},
		{setup: onNew, line: "token create", code: 2, wrong: `"create"`, next: `did you mean "token init"`},
		{setup: onNew, line: "init", code: 2, wrong: `"init"`, next: `did you mean "token init"`},
		{setup: onNew, line: "list", code: 2, wrong: `"list"`, next: `or "token list"`},
		{setup: onNew, line: "status", code: 2, wrong: `"status"`, next: `did you mean "scm status"`},
		{setup: onNew, line: "scm stat", code: 2, wrong: `"stat"`, next: `did you mean "scm status"`},
		{setup: onNew, line: "scm wallet lst", code: 2, wrong: `"lst"`, next: `did you mean "scm wallet list"`},
		{setup: onNew, line: "scm inject tamperr 0", code: 2, wrong: `"tamperr"`, next: `did you mean "scm inject tamper"`},
		{setup: onNew, line: "scm manifest ad kernel", code: 2, wrong: `"ad"`, next: `did you mean "scm manifest add"`},
		{setup: onNew, line: "token recovery make", code: 2, wrong: `"make"`, next: "zk_pkcs11-util token recovery --help"},
		{setup: onNew, line: "import p12 DIR/text", code: 2, wrong: `"p12"`, next: `did you mean "import pkcs12"`},
		{setup: onNew, line: "token list more", code: 2, wrong: `takes no argument, and there is "more"`, next: "leave it out"},
		{setup: onNew, line: "token init device", code: 2, wrong: `takes no argument, and there is "device"`, next: "token init --help"},
		{setup: onNew, line: "token backup", code: 2, wrong: "takes FILE", next: "token backup --help"},
		{setup: onNew, line: "token backup a b", code: 2, wrong: `takes FILE, and there is "a b"`, next: "token backup --help"},
		{setup: onNew, line: "token restore", code: 2, wrong: "takes FILE", next: "token restore --help"},
		{setup: onNew, line: "import pem", code: 2, wrong: "takes FILE", next: "import pem --help"},
		{setup: onNew, line: "import softhsm", code: 2, wrong: "takes DIR", next: "import softhsm --help"},
		{setup: onNew, line: "scm led", code: 2, wrong: "takes CODE [SUB]", next: "scm led --help"},
		{setup: onNew, line: "scm inject tap", code: 2, wrong: "takes DIRECTION", next: "scm inject tap --help"},
		{setup: onNew, line: "scm manifest add", code: 2, wrong: "takes FILE...", next: "scm manifest add --help"},
		{setup: onNew, line: "scm wallet create", code: 2, wrong: "takes NAME", next: "scm wallet create --help"},
		{setup: onNew, line: "scm wallet child savings", code: 2, wrong: "takes", next: "scm wallet child --help"},
		{setup: onNew, line: "completion", code: 2, wrong: "takes bash|zsh|fish", next: "completion --help"},
		{setup: onNew, line: "completion csh", code: 2, wrong: `"csh"`, next: "bash, zsh and fish"},
		{setup: onNew, line: "help bogus", code: 2, wrong: `unknown command "bogus"`, next: "--help lists"},
		{setup: onNew, line: "help token lsit", code: 2, wrong: `"lsit"`, next: `did you mean "token list"`},
		{setup: onNew, line: "version 1", code: 2, wrong: "takes no argument", next: "leave it out"},
	}
}

// wrongOptions are options that there are not, and values that do not fit.
func wrongOptions() []mistake {
	return []mistake{
		{setup: onNew, line: "--show-slot", code: 2, wrong: "--show-slot;", next: "did you mean --show-slots?"},
		{setup: onNew, line: "token init --lable x", code: 2, wrong: "--lable", next: "did you mean --label?"},
		{setup: onNew, line: "token list --jsn", code: 2, wrong: "--jsn", next: "did you mean --json?"},
		{setup: onNew, line: "token pin --new-pim 1", code: 2, wrong: "--new-pim", next: "did you mean --new-pin?"},
		{setup: onNew, line: "scm status --verbose", code: 2, wrong: "--verbose", next: "scm status --help"},
		{setup: onNew, line: "scm status -j", code: 2, wrong: "-j", next: "two dashes"},
		{setup: onNew, line: "token init --slot one --label x", code: 2, wrong: `--slot takes a number from 0 on, and not "one"`, next: "token init --help"},
		{setup: onNew, line: "scm status --slot -1", code: 2, wrong: `not "-1"`, next: "scm status --help"},
		{setup: onNew, line: "token list --slot", code: 2, wrong: "--slot needs a value", next: "--slot ID"},
		{setup: onNew, line: "--use-zkslot x --label y", code: 2, wrong: `--use-zkslot takes a whole number, and not "x"`, next: "--help"},
		{setup: onNew, line: "token list --json=maybe", code: 2, wrong: "true or false", next: "token list --help"},
		{setup: onNew, line: "import pem DIR/text --wait soon", code: 2, wrong: "a time such as 30s", next: "import pem --help"},
		{setup: onNew, line: "scm wait --timeout 2m", code: 2, wrong: `not "2m"`, next: "scm wait --help"},
		{setup: onNew, line: "scm inject temperature -20", code: 2, wrong: "-20 is taken for an option", next: "temperature -- -20"},
		{setup: onNew, line: "token list --=", code: 2, wrong: `"--=" is no option`, next: "--name=VALUE"},
		{setup: onNew, line: "--label x", code: 2, wrong: "is missing", next: "--init-token"},
		{setup: onNew, line: "--show-slots --init-token --label x", code: 2, wrong: "only one of", next: "at a time"},
		{setup: onNew, line: "--init-token", code: 2, wrong: "needs --label", next: "--label"},
		{setup: onNew, line: "token init", code: 2, wrong: "needs --label", next: "programs find the token"},
		{setup: onNew, line: "token init --label 123456789012345678901234567890123", code: 2, wrong: "33 bytes", next: "at most 32"},
		{setup: onNew, line: "--delete-token", code: 2, wrong: "needs --serial or --token", next: "token list"},
		{setup: onNew, line: "token delete", code: 2, wrong: "needs --token, --serial or --slot", next: "token list"},
		{setup: onNew, line: "--init-token --free --slot 0 --label x", code: 2, wrong: "--free looks for a slot by itself", next: "leave --slot"},
		{setup: onNew, line: "token bind x", code: 2, wrong: `"x" is no key slot`, next: "such as 0 or 16"},
		{setup: onNew, line: "token bind", code: 2, wrong: "token bind", next: "--help"},
		{setup: onNew, line: "--import key.pem", code: 2, wrong: "--import needs --label", next: "--label"},
		{setup: onNew, line: "--import key.pem --label x --id wood", code: 2, wrong: `"wood" is not hexadecimal`, next: "such as 0001"},
		{setup: onNew, line: "--import key.pem --show-slots", code: 2, wrong: "only one of", next: "--import"},
		{setup: onNew, line: "--use-zkslot 0", code: 2, wrong: "needs --label", next: "--label"},
		{setup: onNew, line: "--use-zkslot 0 --label x --id wood", code: 2, wrong: `"wood" is not hexadecimal`, next: "such as 0001"},
		{setup: onNew, line: "--use-zkslot 0 --label x --id 0a0", code: 2, wrong: `"0a0" has an odd number of digits`, next: "add the one that is missing"},
		{setup: onNew, line: "key delete --id 01 --id 02 --yes", code: 2, wrong: "--id is given more than once", next: "leave out all but one"},
		{setup: onNew, line: "key public --id=01 --id=01", code: 2, wrong: "--id is given more than once", next: "key public --help"},
		{setup: onNew, line: "key public --id 0a0", code: 2, wrong: `"0a0" has an odd number of digits`, next: "add the one that is missing"},
		{setup: onNew, line: "key rename --id 01 --to-id 0a0", code: 2, wrong: `--to-id "0a0" has an odd number of digits`, next: "add the one that is missing"},
		{setup: onNew, line: "key public --id 0g", code: 2, wrong: `"0g" is not hexadecimal`, next: "pairs of the digits"},
		{setup: onNew, line: "token delete --token a --token b --yes", code: 2, wrong: "--token is given more than once", next: "token delete --help"},
		{setup: onNew, line: "token list --slot 0 --slot 0", code: 2, wrong: "--slot is given more than once", next: "leave out all but one"},
		{setup: onNew, line: "--init-token --label a --label b", code: 2, wrong: "--label is given more than once", next: "leave out all but one"},
		{setup: onNew, line: "check --slot 0 --slot 1", code: 3, wrong: "--slot is given more than once", next: "check --help"},
		{setup: onNew, line: "import pem FILE --wait 1s --wait 2s", code: 2, wrong: "--wait is given more than once", next: "import pem --help"},
	}
}

// wrongPINs are PINs that are wrong, and places that have none.
func wrongPINs() []mistake {
	return []mistake{
		{setup: onToken, line: "token pin --pin-file DIR/nothing --new-pin 1234", code: 2, wrong: "nothing", next: "--pin-file"},
		{setup: onToken, line: "token pin --pin-file DIR/empty --new-pin 1234", code: 2, wrong: "is empty", next: "--pin-file"},
		{setup: onToken, line: "token pin --pin file:DIR/lines --new-pin 1234", code: 2, wrong: "more than one line", next: "its only one"},
		{setup: onToken, line: "token pin --pin-env NO_PIN --new-pin 1234", code: 2, wrong: `"NO_PIN"`, next: "export it"},
		{setup: onToken, line: "token pin --pin env:NO_PIN --new-pin 1234", code: 2, wrong: `"NO_PIN"`, next: "export it"},
		{setup: onToken, line: "token pin --pin-fd 77 --new-pin 1234", code: 2, wrong: "descriptor 77", next: "--pin-fd"},
		{setup: onToken, line: "token pin --pin 1 --pin-env PIN --new-pin 1234", code: 2, wrong: "--pin and --pin-env", next: "give one of them"},
		{setup: onToken, line: "token unlock --so-pin-file DIR/nothing --new-pin 1234", code: 2, wrong: "the SO PIN cannot be read", next: "--so-pin-file"},
		{setup: onToken, line: "token pin --pin 12345678 --new-pin 12", code: 1, wrong: "4 to 255 bytes", next: "CKR_PIN_LEN_RANGE"},
		{setup: onToken, line: "token init --label x --so-pin 12 --pin 12345678 --yes", code: 1, wrong: "4 to 255 bytes", next: "CKR_PIN_LEN_RANGE"},
		{setup: onToken, line: "key generate --label x --pin 12", code: 1, wrong: "has 2 bytes, and a PIN has 4 to 255", next: "no try is lost"},
		{setup: onToken, line: "token backup DIR/b --pin-file DIR/short", code: 1, wrong: "the user PIN that is given has 2 bytes", next: "look at what is given"},
		{setup: onToken, line: "token unlock --so-pin 1 --new-pin 1234", code: 1, wrong: "the SO PIN that is given has 1 byte,", next: "no try is lost"},
		{setup: onToken, line: "token pin", code: 1, wrong: `"User PIN" is asked for`, next: "--pin-file"},
		{setup: onToken, line: "token unlock --so-pin 87654321", code: 1, wrong: `"New PIN" is asked for`, next: "--new-pin-file"},
		{setup: onToken, line: "token pin --pin 12345678", input: "new1\nnew2\n", code: 1, wrong: "the two are not the same", next: "once more"},
		{setup: onToken, line: "token init --label x", input: "so\npin\n", code: 1, wrong: "the two are not the same", next: "once more"},
		{setup: onToken, line: "token pin --pin 1111 --new-pin 2222", code: 1, wrong: "the PIN is wrong", next: "tries left"},
		{setup: onToken, line: "token pin --pin 12345678 --new-pin 12345678 --so", input: "1111\n", code: 1, wrong: "the PIN is wrong", next: "SO PIN: 9 tries left"},
		{setup: onToken, line: "token backup DIR/b --pin 1111", code: 1, wrong: "the PIN is wrong", next: "tries left"},
		{setup: onToken, line: "token recovery create --pin 1111", code: 1, wrong: "the PIN is wrong", next: "tries left"},
		{setup: onToken, line: "token init --label x --so-pin 1111 --pin 2222 --yes", code: 1, wrong: "the PIN is wrong", next: "SO PIN: "},
		{setup: onToken, line: "--use-zkslot 0 --label x --pin 1111", code: 1, wrong: "the PIN is wrong", next: "tries left"},
		{setup: onToken, line: "scm wallet create more --pin 1111", code: 1, wrong: "PIN", next: "lock it"},
		{setup: onNew, line: "token pin --pin 1111 --new-pin 2222", code: 1, wrong: "no user PIN yet", next: "token init"},
		{setup: onNew, line: "token unlock --so-pin 1111 --new-pin 2222", code: 1, wrong: "no", next: "token init"},
		{setup: onLocked, line: "token pin --pin 12345678 --new-pin 2222", code: 1, wrong: "locked", next: "token unlock"},
		{setup: onLockedSO, line: "token unlock --so-pin 87654321 --new-pin 2222", code: 1, wrong: "the SO PIN is locked", next: "token delete"},
		{setup: onLockedSO, line: "token init --label x --so-pin 87654321 --pin 2222 --yes", code: 1, wrong: "the SO PIN is locked", next: "token delete"},
		{setup: onLocked, line: "token backup DIR/b --pin 12345678", code: 1, wrong: "locked", next: "token unlock"},
		{setup: onLocked, line: "scm wallet create more --pin 12345678", code: 1, wrong: "locked", next: "token unlock"},
	}
}

// wrongTokens are tokens, files and words that are not those that are meant.
func wrongTokens() []mistake {
	return []mistake{
		{setup: onToken, line: "token delete --token devise", code: 1, wrong: `no token has the label "devise"`, next: "token list"},
		{setup: onToken, line: "token delete --serial 00", code: 1, wrong: `no token has the serial number "00"`, next: "token list"},
		{setup: onToken, line: "--init-token --free --label x --pin 1234 --so-pin 1234", code: 1, wrong: "no slot is free", next: `state = "."`},
		{setup: onToken, line: "token list --token devise", code: 1, wrong: "no such token", next: "lists all slots"},
		{setup: onToken, line: "token pin --slot 7 --pin 1111 --new-pin 2222", code: 1, wrong: "no such slot", next: "token list"},
		{setup: onToken, line: "scm status --slot 7", code: 1, wrong: "no slot 7", next: "--show-slots"},
		{setup: onToken, line: "scm slots --token devise", code: 1, wrong: `"devise"`, next: "token list"},
		{setup: onToken, line: "token pin --slot 0 --token device --pin 1111 --new-pin 2222", code: 2, wrong: "--token and --slot", next: "give one of them"},
		{setup: onToken, line: "token delete --token device", input: "y\n", code: 3, wrong: "not confirmed", next: "--yes"},
		{setup: onToken, line: "token recovery check", input: "one two\n", code: 1, wrong: "2 words are there", next: "standard input"},
		{setup: onToken, line: "token recovery restore --token device", code: 2, wrong: "no label", next: "--slot"},
		{setup: onToken, line: "token restore DIR/nothing --pin 12345678", code: 1, wrong: "nothing", next: "token backup"},
		{setup: onToken, line: "token restore DIR/text --pin 12345678", code: 1, wrong: "text", next: "token backup"},
		{setup: onToken, line: "token restore DIR/cut --pin 12345678", code: 1, wrong: "cut", next: "token backup"},
		{setup: onToken, line: "token restore DIR/backup --pin 1111", code: 1, wrong: "wrong PIN", next: "opens with the PIN that the token had on its day"},
		{setup: onToken, line: "token backup DIR/backup --pin 12345678", code: 3, wrong: "not confirmed", next: "--yes"},
		{setup: onOther, line: "token restore DIR/backup --pin 12345678", code: 1, wrong: "has a token of its own", next: "\"token delete\", with its keys, and restore with the PIN"},
		{setup: onBadFile, line: "token restore DIR/text --pin 12345678", code: 1, wrong: "other.toml:1", next: "correct the setting"},
		{setup: onToken, line: "token restore DIR/backup --token device", code: 2, wrong: "another one", next: "--slot"},
		{setup: onToken, line: "token backup /nowhere/b --pin 12345678", code: 1, wrong: "/nowhere", next: "in a directory that there is"},
		{setup: onToken, line: "import pem DIR/nothing --pin 12345678", code: 1, wrong: "nothing", next: "name of the file"},
		{setup: onToken, line: "import pem DIR/text --pin 12345678", code: 1, wrong: "text: there is nothing to bring over", next: "import --help"},
		{setup: onToken, line: "import ssh DIR/text --pin 12345678", code: 1, wrong: "cut or damaged", next: "import --help"},
		{setup: onToken, line: "import ssh DIR/id.pub --pin 12345678", code: 1, wrong: "it is a public key of OpenSSH", next: `without .pub: "import ssh `},
		{setup: onToken, line: "import pkcs12 DIR/server.pem --pin 12345678", code: 1, wrong: "server.pem: it is PEM", next: `"import pem `},
		{setup: onToken, line: "import softhsm DIR/server.pem --from-pin 1 --pin 12345678", code: 1, wrong: "server.pem: it is PEM", next: `"import pem `},
		{setup: onToken, line: "import softhsm DIR/text --from-pin 1 --pin 12345678", code: 1, wrong: "text: it is a file", next: "the directory of tokens"},
		{setup: onToken, line: "import pem DIR --pin 12345678", code: 1, wrong: "it is a directory", next: "name a file in it"},
		{setup: onToken, line: "import softhsm DIR/nothing --from-pin 1 --pin 12345678", code: 1, wrong: "nothing", next: "name of the file"},
		{setup: onToken, line: "import --from DIR/text --from-pin 1 --pin 12345678", code: 1, wrong: "text", next: "import --help"},
		{setup: onToken, line: "--use-zkslot 600 --label x --pin 12345678", code: 1, wrong: "no key slot 600", next: "0 to 527"},
		{setup: onToken, line: "--use-zkslot 200 --label x --pin 12345678", code: 1, wrong: "key slot 200 is empty", next: "scm slots"},
	}
}

// wrongSCM are mistakes with the SCM itself.
func wrongSCM() []mistake {
	return []mistake{
		{setup: onNew, line: "scm led 99", code: 2, wrong: "no fatal code 99", next: "the codes are"},
		{setup: onNew, line: "scm inject tamper 2", code: 2, wrong: `"2"`, next: "the channels 0 and 1"},
		{setup: onNew, line: "scm inject battery low", code: 2, wrong: `"low" is no number`, next: "such as"},
		{setup: onNew, line: "scm inject tap up", code: 2, wrong: `"up"`, next: "x+, x-"},
		{setup: onNew, line: "scm inject fatal 77", code: 1, wrong: "77", next: "22-9"},
		{setup: onNew, line: "scm reset", code: 3, wrong: "16 keys in key slots, 0 of them not from the factory", next: "--yes"},
		{setup: onNew, line: "scm lock-binding", input: "no\n", code: 3, wrong: "not confirmed", next: "--yes"},
		{setup: onNew, line: "scm manifest add nothing", code: 1, wrong: "nothing", next: "relative to the boot directory"},
		{setup: onNew, line: "scm manifest add text --key-slot 40", code: 2, wrong: "40", next: "0 to 15"},
		{setup: onNew, line: "scm manifest remove nothing", code: 1, wrong: "nothing", next: "relative to the boot directory"},
		{setup: onNew, line: "scm wallet create w --curve p384", code: 2, wrong: `"p384"`, next: "nistp256, secp256k1 or ed25519"},
		{setup: onNew, line: "scm wallet create w --recovery paper", code: 2, wrong: `"paper"`, next: "bip39, slip39 or none"},
		{setup: onNew, line: "scm wallet create w --recovery slip39 --groups 2", code: 2, wrong: `"2"`, next: "2of3"},
		{setup: onNew, line: "scm wallet restore w", input: "one two three\n", code: 1, wrong: "3 words", next: "it takes all 12, 15"},
		{setup: onNew, line: "scm wallet child nothing m/1", code: 1, wrong: "nothing", next: "scm wallet list"},
		{setup: onToken, line: "scm wallet child savings m/x --pin 12345678", code: 2, wrong: `"x"`, next: "m/44h"},
		{setup: onToken, line: "scm wallet create savings --pin 12345678", code: 1, wrong: "name", next: "scm wallet list"},
	}
}

// wrongKeys are mistakes with keys, certificates and what programs need to use them.
func wrongKeys() []mistake {
	return []mistake{
		{setup: onToken, line: "key generat --label x", code: 2, wrong: `"generat"`, next: `did you mean "key generate"`},
		{setup: onToken, line: "key generate --pin 12345678", code: 2, wrong: "needs --label", next: "people know the key"},
		{setup: onToken, line: "key generate --label x --type p-257 --pin 12345678", code: 2, wrong: `"p-257"`, next: "the types are p256"},
		{setup: onToken, line: "key generate --label x --pin 1111", code: 1, wrong: "the PIN is wrong", next: "tries left"},
		{setup: onToken, line: "key generate --label x --type rsa2048 --key-slot 40 --pin 12345678", code: 1, wrong: "none of the type rsa2048", next: "leave out --key-slot"},
		{setup: onToken, line: "key generate --label x --key-slot 900 --pin 12345678", code: 1, wrong: "key slot 900 is none in which keys are made: those are 16 to 527", next: "scm slots"},
		{setup: onToken, line: "key generate --label x --id 0b0c --key-slot 16 --pin 12345678", code: 1, wrong: "key slot 16 is taken", next: "without --key-slot"},
		{setup: onToken, line: "key list --label nothing", code: 1, wrong: `no key has the label "nothing"`, next: "key list --login"},
		{setup: onToken, line: "key list --id 0e0e --json", code: 1, wrong: "no key has the id 0e0e", next: "--pin-file"},
		{setup: onToken, line: "key public --id 0e0e", code: 1, wrong: "no key has the id 0e0e", next: "--pin-file"},
		{setup: onToken, line: "snippet python --id 0e0e", code: 1, wrong: "no key has the id 0e0e", next: "--pin-file"},
		{setup: onToken, line: "cert list --label nothing", code: 1, wrong: `no certificate has the label "nothing"`, next: "cert list"},
		{setup: onToken, line: "key --list", code: 2, wrong: "unknown option --list", next: `"key list" is a command`},
		{setup: onToken, line: "token --list", code: 2, wrong: "unknown option --list", next: `"token list" is a command`},
		{setup: onToken, line: "cert --list", code: 2, wrong: "unknown option --list", next: `"cert list" is a command`},
		{setup: onToken, line: "scm --status", code: 2, wrong: "unknown option --status", next: `"scm status" is a command`},
		{setup: onToken, line: "import DIR/text", code: 2, wrong: "is a file", next: `did you mean "import pem `},
		{setup: onToken, line: "import DIR", code: 2, wrong: "wants a word before it", next: `did you mean "import softhsm `},
		{setup: onToken, line: "import DIR/missing.pem", code: 2, wrong: "unknown command", next: "import --help"},
		{setup: onToken, line: "cert export --id 00", code: 1, wrong: "has no certificate on the token", next: "key self-cert --store"},
		{setup: onToken, line: "key generate --label y --id 00 --pin 12345678", code: 1, wrong: "has the --id 00 already", next: "give another --id"},
		{setup: onToken, line: "key list --jsn", code: 2, wrong: "--jsn", next: "--json"},
		{setup: onToken, line: "key public", code: 2, wrong: "key", next: "--label"},
		{setup: onToken, line: "key public --label nothing", code: 1, wrong: `"nothing"`, next: "key list"},
		{setup: onToken, line: "key public --id wood", code: 2, wrong: `"wood"`, next: "pairs of the digits"},
		{setup: onToken, line: "key public pkcs12:object=x", code: 2, wrong: "pkcs12:object=x", next: "a label is given by --label"},
		{setup: onToken, line: "key public pkcs11:object=x --label y", code: 2, wrong: "a pkcs11: URI names the key", next: "leave out"},
		{setup: onToken, line: "key name 600 --label x --pin 12345678", code: 1, wrong: "600", next: "0 to 527"},
		{setup: onToken, line: "key name 0 --pin 12345678", code: 2, wrong: "--label", next: "--label"},
		{setup: onToken, line: "key name zero --label x --pin 12345678", code: 2, wrong: `"zero"`, next: "number"},
		{setup: onToken, line: "key delete --label nothing --pin 12345678", code: 1, wrong: `"nothing"`, next: "key list"},
		{setup: onToken, line: "key csr --label nothing --pin 12345678", code: 1, wrong: `"nothing"`, next: "key list"},
		{setup: onToken, line: "cert import DIR/nothing --pin 12345678", code: 1, wrong: "nothing", next: "name of the file"},
		{setup: onToken, line: "cert import DIR/text --pin 12345678", code: 1, wrong: "text", next: "PEM"},
		{setup: onToken, line: "cert export --label nothing", code: 1, wrong: `"nothing"`, next: "cert list"},
		{setup: onToken, line: "key public --id 00 --out /no/such/directory/x", code: 1, wrong: "--out cannot be written: open /no/such/directory/x", next: "in a directory that there is"},
		{setup: onToken, line: "key public --id 00 --out DIR/text/x", code: 1, wrong: "not a directory; it has to be", next: "that this user can write"},
		{setup: onToken, line: "token backup /no/such/directory/x --pin 12345678", code: 1, wrong: "no backup was made: open /no/such/directory", next: "in a directory that there is"},
		{setup: onToken, line: "cert exprot", code: 2, wrong: `"exprot"`, next: `did you mean "cert export"`},
		{setup: onToken, line: "snippet", code: 2, wrong: "name a program", next: "nginx"},
		{setup: onToken, line: "snippet ngnix --label x", code: 2, wrong: "ngnix", next: "nginx"},
		{setup: onToken, line: "snippet nginx --label nothing", code: 1, wrong: `"nothing"`, next: "key list"},
		{setup: onToken, line: "doctor more", code: 2, wrong: "takes no argument", next: "leave it out"},
		{setup: onToken, line: "doctor --pid self", code: 2, wrong: `--pid takes a whole number, and not "self"`, next: "doctor --help"},
		{setup: onToken, line: "chek", code: 2, wrong: `"chek"`, next: `did you mean "check"`},
		{setup: onToken, line: "secret lock /no/such/directory/x --pin 12345678", code: 1, wrong: "FILE cannot be written", next: "in a directory that there is"},
		{setup: onToken, line: "check all", code: 3, wrong: `takes no argument, and there is "all"`, next: "leave it out"},
		{setup: onToken, line: "check --slot x", code: 3, wrong: `--slot takes a number from 0 on, and not "x"`, next: "check --help"},
		{setup: onToken, line: "scm status --watch 5", code: 2, wrong: `takes no argument, and there is "5"`, next: "leave it out"},
		{setup: onToken, line: "scm panel --port http", code: 2, wrong: `--port takes a number from 0 to 65535, and not "http"`, next: "scm panel --help"},
		{setup: onToken, line: "doctr", code: 2, wrong: `"doctr"`, next: `did you mean "doctor"`},
		{setup: onToken, line: "scm inject fault --on find", code: 2, wrong: `"find"`, next: "sign, generate or any"},
		{setup: onToken, line: "scm inject fault --count 0", code: 2, wrong: "--count 0", next: "--undo"},
		{setup: onToken, line: "scm inject boot --undo", code: 2, wrong: "cannot be taken back", next: "scm inject --undo"},
	}
}

// badTimes are right command lines at a bad time.
func badTimes() []mistake {
	return []mistake{
		{setup: onUnbound, line: "token list", code: 1, wrong: "no token: not bound", next: "scm status"},
		{setup: onUnbound, line: "scm status", code: 1, wrong: "does not answer", next: "scm inject unbind --undo"},
		{setup: onUnbound, line: "scm slots", code: 1, wrong: "not bound", next: "scm status"},
		{setup: onUnbound, line: "token init --label x --pin 12345678 --so-pin 87654321", code: 1, wrong: "no token in the slot", next: "scm status"},
		{setup: onDestroyed, line: "scm slots", code: 1, wrong: "destroyed its keys", next: "scm reset"},
		{setup: onDestroyed, line: "scm lock-binding --yes", code: 1, wrong: "production mode is for good", next: "scm reset"},
		{setup: onNoLibrary, line: "token list", code: 1, wrong: "library", next: `backend = "soft"`},
		{setup: onNoLibrary, line: "scm status", code: 1, wrong: "library", next: `backend = "soft"`},
		{setup: onNoLibrary, line: "scm wait --timeout 0", code: 1, wrong: "library", next: `backend = "soft"`},
		{setup: onBadFile, line: "token list", code: 1, wrong: "other.toml:1", next: "correct the setting"},
		{setup: onBadWord, line: "scm status", code: 1, wrong: "colour", next: "correct the setting"},
		{setup: onBadTable, line: "token list", code: 1, wrong: "other.toml:2: soft.show: unknown setting", next: "above the first [table] of the file"},
		{setup: onNoFile, line: "token list", code: 1, wrong: "other.toml", next: "ZK_PKCS11_CONF"},
		{setup: onDamaged, line: "token list", code: 1, wrong: "file is damaged", next: "token restore"},
		{setup: onDamaged, line: "token backup DIR/b --pin 12345678", code: 1, wrong: "file is damaged", next: "doctor"},
		{setup: onNoPlace, line: "token list", code: 1, wrong: "not a directory", next: "name another state directory"},
		{setup: onNoPlace, line: "scm status", code: 1, wrong: "not a directory", next: "name another state directory"},
	}
}
