// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/subtle"
	"mime"
	"net"
	"net/http"
	"strings"
)

// panelGuard stands before the panel. Other users of the machine reach the port, and so does every page in
// the browser: neither knows the key.
type panelGuard struct {
	key, host string // host is address and port
	next      http.Handler
}

// panelPolicy lets the page have what it brings itself, and nothing of anybody else.
const panelPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// ServeHTTP passes on what has the key, below which the panel is.
func (g panelGuard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for name, value := range map[string]string{
		"Content-Security-Policy": panelPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
		"Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
	} {
		w.Header().Set(name, value)
	}
	if !g.isOurs(r.Host) { // a name of somebody else's that leads to loopback
		http.Error(w, "this is not the host that was asked for", http.StatusMisdirectedRequest)
		return
	}
	key, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if !g.isKey(key) || !strings.HasPrefix(r.URL.Path, "/"+key+"/") {
		http.NotFound(w, r)
		return
	}
	if why := g.refusal(r); why != "" {
		http.Error(w, why, http.StatusForbidden)
		return
	}
	r.URL.Path = "/" + path
	g.next.ServeHTTP(w, r)
}

// isOurs reports whether a Host header names the listener.
func (g panelGuard) isOurs(host string) bool {
	_, port, _ := net.SplitHostPort(g.host)
	return host == g.host || host == "localhost:"+port
}

// isKey reports whether key is the right one, in a time that does not depend on where the two differ.
func (g panelGuard) isKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(g.key)) == 1
}

// refusal says why a request that changes something is not one of the page itself.
func (g panelGuard) refusal(r *http.Request) string {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return ""
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	origin, from := r.Header.Get("Origin"), r.Header.Get("Sec-Fetch-Site")
	switch {
	case r.Method != http.MethodPost:
		return "only POST changes something"
	case !g.isKey(r.Header.Get("X-Panel-Key")):
		return "the header X-Panel-Key is missing"
	case kind != "application/json":
		return "the content is to be application/json"
	case origin != "" && origin != "http://"+r.Host, from != "" && from != "same-origin":
		return "the request comes from another page"
	}
	return ""
}
