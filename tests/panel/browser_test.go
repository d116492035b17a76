// SPDX-License-Identifier: Apache-2.0

package panel

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

var update = flag.Bool("update", false, "take the picture docs/panel.png anew")

// options are those of a browser without a screen, which asks nobody in the world for anything.
func options(t *testing.T) []string {
	return []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--window-size=1000,980", "--user-data-dir=" + filepath.Join(t.TempDir(), "new"),
	}
}

// chromium is Debian's, in one of two packages.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("chromium is not installed (see scripts/test.sh for the packages)")
	return ""
}

// browser is a chromium that is told what to do through pipes.
type browser struct {
	t       *testing.T
	to      *os.File
	from    *bufio.Reader
	session string
	n       int
}

// open opens a page.
func open(t *testing.T, url string) *browser {
	t.Helper()
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(chromium(t), append(options(t), "--remote-debugging-pipe", "about:blank")...)
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &browser{t: t, to: in, from: bufio.NewReader(out)}
	t.Cleanup(func() {
		b.call("Browser.close", nil, nil)
		in.Close()
		_ = cmd.Wait() // it ends as it likes
		out.Close()
	})
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for b.try("Runtime.evaluate", map[string]any{"expression": "1"}, nil) != nil {
		time.Sleep(20 * time.Millisecond) // it is on its way to the page
	}
	return b
}

// call has the browser do something, and waits for its answer.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	if err := b.try(method, params, result); err != nil {
		b.t.Fatalf("%s: %v", method, err)
	}
}

// try is call that may fail.
func (b *browser) try(method string, params, result any) error {
	b.t.Helper()
	b.n++
	message := map[string]any{"id": b.n, "method": method, "params": params}
	if params == nil {
		delete(message, "params")
	}
	if b.session != "" && method != "Browser.close" {
		message["sessionId"] = b.session
	}
	text, err := json.Marshal(message)
	if err == nil {
		_, err = b.to.Write(append(text, 0))
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return b.await(method, result)
}

// await reads up to the answer of the latest call.
func (b *browser) await(method string, result any) error {
	b.t.Helper()
	for {
		line, err := b.from.ReadBytes(0)
		if err != nil {
			b.t.Fatalf("%s: %v", method, err)
		}
		var answer struct {
			ID     int
			Result json.RawMessage
			Error  *struct{ Message string }
		}
		if err := json.Unmarshal(line[:len(line)-1], &answer); err != nil {
			b.t.Fatal(err)
		}
		if answer.ID != b.n {
			continue // an event
		}
		if answer.Error != nil {
			return errors.New(answer.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(answer.Result, result); err != nil {
				b.t.Fatal(err)
			}
		}
		return nil
	}
}

// run runs JavaScript in the page, and returns what it comes to.
func (b *browser) run(script string) any {
	b.t.Helper()
	var r struct {
		Result           struct{ Value any }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	b.call("Runtime.evaluate", map[string]any{"expression": script, "awaitPromise": true, "returnByValue": true}, &r)
	if e := r.ExceptionDetails; e != nil {
		b.t.Fatalf("%s: %s %s", script, e.Text, e.Exception.Description)
	}
	return r.Result.Value
}

// until waits for something to be true in the page; the text that it waits in vain for is shown when it gives up.
func (b *browser) until(condition string) {
	b.t.Helper()
	const wait = `new Promise((done) => { let n = 0; const look = () => { let is = false; try { is = %s } catch (e) {}
		if (is) done(""); else if (++n > 1200) done(document.body.innerText); else setTimeout(look, 25) }; look() })`
	if text := b.run(fmt.Sprintf(wait, condition)); text != "" {
		b.t.Fatalf("it never comes to %s:\n%s", condition, text)
	}
}

// click clicks on the button that does something.
func (b *browser) click(button string) {
	b.t.Helper()
	b.run(fmt.Sprintf(`document.querySelector('button%s').click()`, button))
}

// TestBrowser moves things by hand in a real browser.
func TestBrowser(t *testing.T) {
	chromium(t)
	p := start(t)
	b := open(t, p.url)
	b.until(`document.querySelectorAll("#map .k").length === 528 && document.querySelectorAll("#map .used").length === 16`)
	b.until(`document.querySelector("#map .k:nth-child(15)").classList.contains("ed25519")`)
	b.until(`document.querySelector("#meaning").textContent.includes("working, development mode")`)
	for range 2 { // it blinks
		b.until(`document.querySelector("#led").classList.contains("on")`)
		b.until(`!document.querySelector("#led").classList.contains("on")`)
	}
	b.run(`{ const slider = document.querySelector("#battery"); slider.value = "2.15"; slider.dispatchEvent(new Event("change")) }`)
	b.until(`document.querySelector("#volts").textContent === "2.15 V"`)
	if status := p.tool("scm", "status"); !strings.Contains(status, "2.15 V") {
		t.Errorf("the battery is not moved:\n%s", status)
	}
	b.click(`[data-do="tamper"][data-value="1"]`)
	b.until(`document.querySelector("#events").textContent.includes("Perimeter 1: breached")`)
	b.click(`[data-do="unbind"]`)
	b.until(`document.querySelector("#pkcs11").textContent.includes("CKR_TOKEN_NOT_PRESENT") && document.querySelector("#meaning").textContent.includes("rapid blinking")`)
	b.click(`[data-do="rebind"]`)
	b.until(`!document.querySelector("#pkcs11").textContent.includes("CKR_TOKEN_NOT_PRESENT")`)
	p.tool("scm", "wallet", "create", "savings", "--recovery", "none", "--pin", harness.UserPIN)
	b.until(`document.querySelectorAll("#map .used").length > 16 && document.querySelector("#events").textContent.includes("of 528 in use")`)
	p.takePicture(b)
	b.checkAlone(p)
}

// takePicture shows the page of this moment in the documents, when it is asked to.
func (p *panel) takePicture(b *browser) {
	if !*update {
		return
	}
	var picture struct{ Data []byte }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &picture)
	if len(picture.Data) == 0 {
		p.t.Fatal("no picture")
	}
	if err := os.WriteFile(filepath.Join(harness.Root(p.t), "docs/panel.png"), picture.Data, 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// checkAlone checks that the page has asked nobody else for anything, and that the browser does not let it.
func (b *browser) checkAlone(p *panel) {
	b.t.Helper()
	foreign := b.run(fmt.Sprintf(`performance.getEntriesByType("resource").map((e) => e.name).filter((n) => !n.startsWith(%q)).join()`, p.url))
	if foreign != "" {
		b.t.Errorf("the page has asked for %v", foreign)
	}
	const inline = `(() => { const s = document.createElement("script"); s.textContent = "window.bad = 1"; document.body.append(s); return window.bad === undefined })()`
	if b.run(inline) != true {
		b.t.Error("a script in the page runs")
	}
	elsewhere := fmt.Sprintf(`fetch("http://localhost%s/%s/state").then(() => "taken", () => "refused")`, p.host[strings.Index(p.host, ":"):], p.key)
	if answer := b.run(elsewhere); answer != "refused" {
		b.t.Errorf("another origin: %v", answer)
	}
}

// TestPageOfBrowser: the page shows what there is from its first moment, without a script being waited for.
func TestPageOfBrowser(t *testing.T) {
	program := chromium(t)
	p := start(t)
	cmd := exec.Command(program, append(options(t), "--dump-dom", p.url)...)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, words := range []string{"CKF_TOKEN_INITIALIZED", "16 of 528 in use", "one blink every 3 seconds", `class="k used ed25519"`, "3.1 V"} {
		if !strings.Contains(string(out), words) {
			t.Errorf("%q is not in the page:\n%s", words, out)
		}
	}
}

// TestPicture: the picture of the documents is one, and small.
func TestPicture(t *testing.T) {
	picture, err := os.ReadFile(filepath.Join(harness.Root(t), "docs/panel.png"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(picture), "\x89PNG\r\n") || len(picture) > 256<<10 {
		t.Errorf("%d bytes: %q", len(picture), picture[:min(8, len(picture))])
	}
}
