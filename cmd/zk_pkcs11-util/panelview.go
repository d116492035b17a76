// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"libzk_pkcs11/internal/scm"
	"libzk_pkcs11/pkcs11"
)

//go:embed panel
var panelFiles embed.FS

// panelView is what the page shows. It has a provider of its own, as a program has one.
type panelView struct {
	lock     sync.Mutex
	target   *target
	device   *softSCM
	provider *pkcs11.Provider
	page     *template.Template
	before   []statusLine
	events   []panelEvent // the latest first
}

// panelState is what the page is told.
type panelState struct {
	Status    scmStatus    `json:"status"`
	Blink     []int        `json:"blink"` // ms on, off, on ...
	Lines     []statusLine `json:"lines"`
	Perimeter []string     `json:"perimeter"`
	Total     int          `json:"total"`
	Slots     []panelSlot  `json:"slots"`
	PKCS11    []panelCall  `json:"pkcs11"`
	Events    []panelEvent `json:"events"`
}

type panelSlot struct {
	Slot  scm.Slot `json:"slot"`
	Curve string   `json:"curve"` // "" = the public key is hidden
}

// statusLine is a line of "scm status".
type statusLine struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type panelEvent struct {
	Time string `json:"time"`
	Text string `json:"text"`
}

func openPanelView(t *target, d *softSCM) (*panelView, error) {
	page, err := template.ParseFS(panelFiles, "panel/panel.html")
	if err != nil {
		return nil, err
	}
	_, options, err := loadSettings()
	if err != nil {
		return nil, err
	}
	options.Quirks = func() pkcs11.Quirks { return pkcs11.Quirks{WaitForSessionsOnly: true} } // it tells what is, and waits for nothing
	v := &panelView{target: t, device: d, provider: pkcs11.New(options), page: page, events: []panelEvent{}}
	_, err = v.state()
	return v, err
}

func (v *panelView) close() { v.provider.Close() }

// handler serves the page, its files, its state, and what is done on it.
func (v *panelView) handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /{$}", v.servePage)
	m.HandleFunc("GET /state", v.serveState)
	m.HandleFunc("POST /act", v.serveAct)
	for _, file := range []string{"panel.css", "panel.js", "icon.svg"} {
		m.HandleFunc("GET /"+file, serveFile)
	}
	return m
}

func serveFile(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, panelFiles, "panel"+r.URL.Path)
}

func (v *panelView) servePage(w http.ResponseWriter, _ *http.Request) {
	s, err := v.state()
	var b bytes.Buffer
	if err == nil {
		err = v.page.Execute(&b, s)
	}
	writeAnswer(w, "text/html; charset=utf-8", b.Bytes(), err)
}

func (v *panelView) serveState(w http.ResponseWriter, _ *http.Request) {
	s, err := v.state()
	var b []byte
	if err == nil {
		b, err = json.Marshal(s)
	}
	writeAnswer(w, "application/json", b, err)
}

func writeAnswer(w http.ResponseWriter, kind string, content []byte, err error) {
	if err != nil {
		http.Error(w, explain(err), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Write(content)
}

// state looks at everything, and notes what has changed since the last look.
func (v *panelView) state() (panelState, error) {
	v.lock.Lock()
	defer v.lock.Unlock()
	s, err := v.target.status()
	if err != nil {
		return panelState{}, err
	}
	p := panelState{
		Status: s, Blink: blinkOf(s.LED), Lines: linesOf(s), Total: s.keys.total, Slots: slotsOf(s), Perimeter: []string{},
		PKCS11: v.calls(s.Slot),
	}
	for i, c := range s.Perimeter {
		p.Perimeter = append(p.Perimeter, fmt.Sprintf("channel %d is %s", i, c))
	}
	v.noteChanges(p.Lines)
	p.Events = slices.Clone(v.events)
	return p, nil
}

// linesOf are the lines of "scm status" that have something to tell by themselves.
func linesOf(s scmStatus) (lines []statusLine) {
	var b strings.Builder
	s.printText(&b)
	for line := range strings.Lines(b.String()) {
		if strings.HasPrefix(line, " ") || len(line) < nameWidth {
			break // the map
		}
		name := strings.TrimSpace(line[:nameWidth])
		lines = append(lines, statusLine{name, strings.TrimSpace(line[nameWidth:])})
	}
	return lines
}

// nameWidth is that of the names in "scm status".
const nameWidth = 14

func slotsOf(s scmStatus) []panelSlot {
	slots := []panelSlot{}
	for _, n := range s.KeySlots {
		one := panelSlot{Slot: n}
		if int(n) < len(s.keys.marks) {
			if curve := strings.IndexByte(markKnown, s.keys.marks[n]); curve >= 0 {
				one.Curve = scm.Curve(curve).String()
			}
		}
		slots = append(slots, one)
	}
	return slots
}

// mostEvents are kept.
const mostEvents = 200

// noteChanges makes events of the lines that differ from those before.
func (v *panelView) noteChanges(now []statusLine) {
	for _, line := range now {
		if line.Name == "Time" || slices.Contains(v.before, line) || v.before == nil {
			continue
		}
		v.note(line.Name + ": " + line.Value)
	}
	for _, line := range v.before {
		if !slices.ContainsFunc(now, func(l statusLine) bool { return l.Name == line.Name }) {
			v.note(line.Name + ": no longer")
		}
	}
	v.before = now
}

func (v *panelView) note(text string) {
	e := panelEvent{time.Now().Format("15:04:05.000"), text}
	v.events = slices.Insert(v.events, 0, e)
	v.events = v.events[:min(len(v.events), mostEvents)]
}
