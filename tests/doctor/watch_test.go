// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"libzk_pkcs11/tests/harness"
)

// watcher is "scm status --watch" that runs.
type watcher struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	seen strings.Builder
}

func (p *patient) watch(command string) *watcher {
	p.t.Helper()
	w := &watcher{t: p.t, cmd: p.command("exec " + command)}
	var err error
	if w.in, err = w.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	out, err := w.cmd.StdoutPipe()
	if err == nil {
		err = w.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	w.out = bufio.NewReader(out)
	p.t.Cleanup(func() { _ = w.cmd.Process.Kill(); _ = w.cmd.Wait() })
	return w
}

// until reads up to a text.
func (w *watcher) until(text string) {
	w.t.Helper()
	from := w.seen.Len()
	for !strings.Contains(w.seen.String()[from:], text) {
		b, err := w.out.ReadByte()
		if err != nil {
			w.t.Fatalf("%v before %q in %q", err, text, w.seen.String())
		}
		w.seen.WriteByte(b)
	}
}

// rest reads what is left, and checks that the program ends well.
func (w *watcher) rest() string {
	w.t.Helper()
	left, err := io.ReadAll(w.out)
	if err != nil {
		w.t.Fatal(err)
	}
	w.in.Close()
	if err := w.cmd.Wait(); err != nil {
		w.t.Errorf("%v after %q", err, w.seen.String())
	}
	return string(left)
}

const watch = "zk_pkcs11-util scm status --watch --interval 100ms"

// TestWatchOnTerminal: each picture takes the place of the one before, with what has changed meanwhile; Ctrl-C ends it well, and
// gives the cursor back.
func TestWatchOnTerminal(t *testing.T) {
	harness.Need(t, "script")
	makeTemplate(t)
	p := newPatient(t, "")
	// Without exec some shells stay above the tool, and answer Ctrl-C with their own end.
	w := p.watch("script -qec 'exec " + watch + "' /dev/null")
	w.until("\x1b[2J\x1b[H")
	w.until("3.1 V")
	w.until("\x1b[J\x1b[H")
	p.sh("zk_pkcs11-util scm inject battery 2.25")
	w.until("2.25 V")
	if strings.Count(w.seen.String(), "\x1b[2J") > 1 {
		t.Errorf("the screen is cleared between pictures, and flickers: %q", w.seen.String())
	}
	if _, err := io.WriteString(w.in, "\x03"); err != nil {
		t.Fatal(err)
	}
	if left := w.rest(); !strings.HasSuffix(left, "\x1b[?25h") {
		t.Errorf("the cursor is not given back: %q", left)
	}
}

// TestWatchInPipe: nothing but text, one picture after another; an SCM that is gone is told, and comes back.
func TestWatchInPipe(t *testing.T) {
	makeTemplate(t)
	p := newPatient(t, "")
	w := p.watch(watch)
	w.until("LED           one blink every 3 seconds")
	w.until("\n\nSlot          0")
	p.sh("zk_pkcs11-util scm inject unbind")
	w.until("Answers       no: ")
	p.sh("zk_pkcs11-util scm inject unbind --undo")
	w.until("LED           one blink every 3 seconds")
	if err := w.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if all := w.seen.String() + w.rest(); strings.Contains(all, "\x1b") {
		t.Errorf("%q", all)
	}
	p.script = ""
	out, err := p.command(strings.Replace(watch, "100ms", "1ms", 1) + " 2>&1").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "at least 100ms") {
		t.Errorf("%v, %s", err, out)
	}
}
