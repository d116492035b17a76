// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

const aboutPanel = `Show the soft SCM as a page for a browser on this machine: its LED, its key slots, what
PKCS#11 shows of it, and events as they come. Battery, temperature and perimeter can be
moved by hand. What is done there is done to the SCM, as by "scm inject".

The address has a random key in it, without which the page does not answer. It is closed
with the tool, by Ctrl-C.`

const panelOnlySoft = "the panel is for the soft SCM only: nobody moves the battery and the temperature of an SCM in hardware by hand; " +
	"\"scm status --watch\" shows it"

// panelTool has the command.
type panelTool struct {
	tool *scmTool
	port uint16
}

func (x *scmTool) panelCommand() *cobra.Command {
	p := &panelTool{tool: x}
	c := onAbility(x, "panel", "Show the soft SCM as a page for a browser on this machine", cobra.NoArgs, panelOnlySoft, p.run)
	c.Long = aboutPanel
	c.Flags().Uint16Var(&p.port, "port", 0, "`PORT` on loopback; 0 for one that is free")
	return c
}

// run serves the page until a signal comes.
func (p *panelTool) run(t *target, d *softSCM, _ []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", fmt.Sprint(p.port)))
	if err != nil {
		return fmt.Errorf("the panel gets no port: %w; --port names another", err)
	}
	view, err := openPanelView(t, d)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer view.close()
	host := listener.Addr().String()
	guard := panelGuard{key: newPanelKey(), host: host, next: view.handler()}
	fmt.Fprintf(p.tool.out, "The panel is at http://%s/%s/\nIt is closed with this tool, by Ctrl-C.\n", host, guard.key)
	return servePanel(ctx, listener, guard)
}

// newPanelKey makes the random part of the address.
func newPanelKey() string {
	b := make([]byte, 24)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// servePanel serves until the context ends, and no longer.
func servePanel(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 14}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return server.Close()
	}
}
