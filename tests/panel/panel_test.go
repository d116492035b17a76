// SPDX-License-Identifier: Apache-2.0

// Package panel tests "zk_pkcs11-util scm panel": who gets in, what is done there, and in a real browser what is seen.
package panel

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"libzk_pkcs11/tests/harness"
)

// panel is a panel that runs, with the soft SCM that it shows.
type panel struct {
	t    *testing.T
	home *harness.Home
	cmd  *exec.Cmd
	out  *bufio.Reader
	url  string // up to the slash behind the key
	host string
	key  string
}

var address = regexp.MustCompile(`^The panel is at (http://(127\.0\.0\.1:\d+)/([\w-]{32})/)$`)

func start(t *testing.T) *panel {
	t.Helper()
	harness.SoftOnly(t, "the panel is for the soft SCM only")
	p := &panel{t: t, home: harness.NewHome(t)}
	p.home.Init()
	p.cmd = p.home.Command(harness.Build(t, "zk_pkcs11-util"), "scm", "panel")
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	p.out = bufio.NewReader(out)
	line, err := p.out.ReadString('\n')
	found := address.FindStringSubmatch(strings.TrimSpace(line))
	if err != nil || found == nil {
		t.Fatalf("%v: %q", err, line)
	}
	p.url, p.host, p.key = found[1], found[2], found[3]
	return p
}

// tool runs the tool on the SCM of the panel.
func (p *panel) tool(args ...string) string {
	p.t.Helper()
	return p.home.Run(harness.Build(p.t, "zk_pkcs11-util"), args...)
}

// request is one to the panel.
type request struct {
	method, path, body string // path begins behind the address and port
	host               string // "" = that of the panel
	headers            map[string]string
}

func (p *panel) send(r request) (status int, body string, headers http.Header) {
	p.t.Helper()
	q, err := http.NewRequest(r.method, "http://"+p.host+r.path, strings.NewReader(r.body))
	if err != nil {
		p.t.Fatal(err)
	}
	if r.host != "" {
		q.Host = r.host
	}
	for name, value := range r.headers {
		q.Header.Set(name, value)
	}
	a, err := http.DefaultClient.Do(q)
	if err != nil {
		p.t.Fatal(err)
	}
	defer a.Body.Close()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return a.StatusCode, string(text), a.Header
}

// state is what the page is told.
type state struct {
	Status struct {
		Battery struct{ Volts float64 }
		Bound   bool
	}
	Blink  []int
	Total  int
	Slots  []struct{ Slot int }
	PKCS11 []struct{ Call, Result string }
	Events []struct{ Text string }
}

func (p *panel) state() (s state) {
	p.t.Helper()
	status, body, _ := p.send(request{method: "GET", path: "/" + p.key + "/state"})
	if err := json.Unmarshal([]byte(body), &s); status != 200 || err != nil {
		p.t.Fatalf("%d, %v: %s", status, err, body)
	}
	return s
}

// act is a request of the page itself.
func (p *panel) act(body string) request {
	return request{method: "POST", path: "/" + p.key + "/act", body: body, headers: map[string]string{
		"Content-Type": "application/json", "X-Panel-Key": p.key, "Origin": "http://" + p.host, "Sec-Fetch-Site": "same-origin",
	}}
}

const lowBattery = `{"do":"battery","value":"2.15"}`

// TestGuard: nobody gets in without the key, by another name, or from another page; and the page takes nothing from elsewhere.
func TestGuard(t *testing.T) {
	p := start(t)
	port := p.host[strings.Index(p.host, ":"):]
	wrong := strings.Repeat("A", len(p.key))
	get := func(path, host string) request { return request{method: "GET", path: path, host: host} }
	for name, c := range map[string]struct {
		request
		status int
	}{
		"the page":                    {get("/"+p.key+"/", ""), 200},
		"by localhost":                {get("/"+p.key+"/", "localhost"+port), 200},
		"no key":                      {get("/", ""), 404},
		"state without a key":         {get("/state", ""), 404},
		"a wrong key":                 {get("/"+wrong+"/state", ""), 404},
		"a short key":                 {get("/"+p.key[:31]+"/state", ""), 404},
		"the key and more":            {get("/"+p.key+"x/state", ""), 404},
		"no slash behind the key":     {get("/"+p.key, ""), 404},
		"the way up":                  {get("/"+p.key+"/../state", ""), 404},
		"no such file":                {get("/"+p.key+"/panel.html", ""), 404},
		"another name":                {get("/"+p.key+"/state", "attacker.example"+port), 421},
		"another name with ours":      {get("/"+p.key+"/state", "127.0.0.1.attacker.example"+port), 421},
		"another port":                {get("/"+p.key+"/state", "127.0.0.1:1"), 421},
		"no port":                     {get("/"+p.key+"/state", "127.0.0.1"), 421},
		"acting by GET":               {get("/"+p.key+"/act", ""), 405},
		"acting without a key":        {request{method: "POST", path: "/act", body: lowBattery, headers: p.act("").headers}, 404},
		"acting without the header":   {p.without("X-Panel-Key", ""), 403},
		"acting with a wrong header":  {p.without("X-Panel-Key", wrong), 403},
		"acting from another page":    {p.without("Origin", "http://attacker.example"), 403},
		"acting from another port":    {p.without("Origin", "http://127.0.0.1:1"), 403},
		"acting from another site":    {p.without("Sec-Fetch-Site", "cross-site"), 403},
		"acting as a form does":       {p.without("Content-Type", "text/plain"), 403},
		"another method":              {request{method: "PUT", path: "/" + p.key + "/act", body: lowBattery, headers: p.act("").headers}, 403},
		"no act":                      {p.act(`{"do":"explode"}`), 400},
		"no number":                   {p.act(`{"do":"battery","value":"full"}`), 400},
		"no such channel":             {p.act(`{"do":"tamper","value":"2"}`), 400},
		"what is no JSON":             {p.act(`do=battery`), 400},
		"more than an act":            {p.act(`{"do":"battery","value":"` + strings.Repeat("1", 5000) + `"}`), 400},
		"what the page does not know": {p.act(`{"do":"boot","file":"/etc/passwd"}`), 400},
	} {
		status, body, headers := p.send(c.request)
		if status != c.status {
			t.Errorf("%s: status %d, want %d: %s", name, status, c.status, body)
		}
		if c.status != 200 && c.status != 400 && strings.Contains(body, p.key) {
			t.Errorf("%s: the key is in %s", name, body)
		}
		policy := headers.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "default-src 'none'; script-src 'self';") || strings.Contains(policy, "unsafe") || headers.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", name, headers)
		}
	}
	if v := p.state().Status.Battery.Volts; v != 3.1 {
		t.Errorf("one of these has moved the battery to %v V", v)
	}
}

// without is an act of the page with another header, or without it.
func (p *panel) without(header, value string) request {
	r := p.act(lowBattery)
	if value == "" {
		delete(r.headers, header)
	} else {
		r.headers[header] = value
	}
	return r
}

// TestActs: what is done on the page is done to the SCM, and PKCS#11 shows what comes of it.
func TestActs(t *testing.T) {
	p := start(t)
	for _, body := range []string{lowBattery, `{"do":"tamper","value":"1"}`, `{"do":"temperature","value":"-12"}`, `{"do":"tap","value":"z+"}`} {
		if status, text, _ := p.send(p.act(body)); status != 204 {
			t.Errorf("%s: %d %s", body, status, text)
		}
	}
	status := p.tool("scm", "status")
	for _, words := range []string{"2.15 V", "-12 °C", "Perimeter 1   breached"} {
		if !strings.Contains(status, words) {
			t.Errorf("%q is not in\n%s", words, status)
		}
	}
	p.send(p.act(`{"do":"clear"}`))
	p.send(p.act(`{"do":"unbind"}`))
	s := p.state()
	if s.Status.Bound || s.PKCS11[0].Call != "C_GetSlotInfo" || s.PKCS11[1].Result == "CKR_OK" || s.Total != 528 {
		t.Errorf("%+v", s)
	}
	p.send(p.act(`{"do":"rebind"}`))
	for range 600 { // the provider looks again after a while
		if s = p.state(); s.PKCS11[1].Result == "CKR_OK" {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if s.PKCS11[1].Result != "CKR_OK" || len(s.Slots) != 16 || len(s.Blink) != 2 {
		t.Errorf("%+v", s)
	}
	var told []string
	for _, e := range s.Events {
		told = append(told, e.Text)
	}
	all := strings.Join(told, "\n")
	for _, words := range []string{"by hand: battery 2.15", "Battery: 2.15 V", "Perimeter 1: breached", "Perimeter 1: closed", "by hand: unbind", "Bound: no", "Bound: yes", "Answers: no longer"} {
		if !strings.Contains(all, words) {
			t.Errorf("%q is not among the events:\n%s", words, all)
		}
	}
}

// TestLoopbackAlone: the port is on no other address, and is closed with the tool, which ends well.
func TestLoopbackAlone(t *testing.T) {
	p := start(t)
	port := p.host[strings.Index(p.host, ":"):]
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range append(addresses, &net.IPNet{IP: net.IPv6loopback}) {
		ip := a.(*net.IPNet).IP
		if ip.String() == "127.0.0.1" || ip.IsLinkLocalUnicast() {
			continue
		}
		if c, err := net.Dial("tcp", net.JoinHostPort(ip.String(), port[1:])); err == nil {
			c.Close()
			t.Errorf("the panel listens on %v", ip)
		}
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(p.out); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("Ctrl-C: %v", err)
	}
	if c, err := net.Dial("tcp", p.host); err == nil {
		c.Close()
		t.Error("the port is still open")
	}
}

// TestHardware: with an SCM in hardware the tool refuses, and says why.
func TestHardware(t *testing.T) {
	home := harness.NewHome(t)
	home.Set("ZK_PKCS11_BACKEND", "zymbit")
	home.Set("ZK_APP_UTILS_LIB", harness.Build(t, "libzk_app_utils.so"))
	out, err := home.Try(harness.Build(t, "zk_pkcs11-util"), "scm", "panel")
	if err == nil || !strings.Contains(out, "for the soft SCM only") || !strings.Contains(out, "scm status --watch") {
		t.Errorf("%v: %s", err, out)
	}
}
