// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// watching is "scm status" with --watch: the same again and again, until it is interrupted.
type watching struct {
	tool     *scmTool
	wanted   bool
	interval time.Duration
}

// shortestInterval leaves the machine something else to do.
const shortestInterval = 100 * time.Millisecond

// addWatch gives "scm status" the options that have it go on.
func (x *scmTool) addWatch(c *cobra.Command) *cobra.Command {
	w := &watching{tool: x}
	c.Flags().BoolVar(&w.wanted, "watch", false, "show it anew at intervals, until Ctrl-C")
	c.Flags().DurationVar(&w.interval, "interval", 2*time.Second, "`TIME` between two looks with --watch, such as 500ms")
	c.Example = "  zk_pkcs11-util scm status\n  zk_pkcs11-util scm status --watch --interval 1s"
	once := c.RunE
	c.RunE = func(c *cobra.Command, words []string) error {
		if !w.wanted {
			return once(c, words)
		}
		return w.run(c, words)
	}
	return c
}

// run draws until a signal comes. On a terminal each picture takes the place of the one before; elsewhere they follow one
// another, and nothing but text is written.
func (w *watching) run(c *cobra.Command, _ []string) error {
	if w.interval < shortestInterval {
		return usagef("--interval is at least %v", shortestInterval)
	}
	if _, err := w.tool.chosenSlot(); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := newScreen(c.OutOrStdout())
	defer s.leave()
	ticks := time.NewTicker(w.interval)
	defer ticks.Stop()
	for {
		if err := s.show(w.picture()); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
		}
	}
}

// picture is what "scm status" prints, or why it does not: an SCM may come back.
func (w *watching) picture() []byte {
	var b bytes.Buffer
	x := *w.tool
	x.out = &b
	if err := x.onDevice("status", "", nil, x.printStatus).RunE(nil, nil); err != nil {
		fmt.Fprintf(&b, "zk_pkcs11-util: %s\n", explain(err))
	}
	return b.Bytes()
}

// screen is where pictures are drawn.
type screen struct {
	out      io.Writer
	terminal *os.File // nil: it is none
	drawn    bool
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out}
	if f, is := out.(*os.File); is && term.IsTerminal(int(f.Fd())) {
		s.terminal = f
	}
	return s
}

// What a terminal is told: begin at its corner, the rest of a line, the rest of the screen, the cursor.
const (
	goHome     = "\x1b[H"
	clearLine  = "\x1b[K\r\n"
	clearBelow = "\x1b[J"
	clearAll   = "\x1b[2J"
	hideCursor = "\x1b[?25l"
	showCursor = "\x1b[?25h"
)

// show draws a picture.
func (s *screen) show(picture []byte) error {
	if s.terminal == nil {
		return s.showBelow(picture)
	}
	lines := strings.Split(strings.TrimSuffix(string(picture), "\n"), "\n")
	if _, height, err := term.GetSize(int(s.terminal.Fd())); err == nil && height > 1 {
		lines = lines[:min(len(lines), height-1)]
	}
	begin := goHome
	if !s.drawn {
		begin = hideCursor + clearAll + goHome
	}
	s.drawn = true
	_, err := io.WriteString(s.out, begin+strings.Join(lines, clearLine)+clearLine+clearBelow)
	return err
}

// showBelow writes a picture behind those before, with an empty line in between.
func (s *screen) showBelow(picture []byte) error {
	if s.drawn {
		picture = append([]byte("\n"), picture...)
	}
	s.drawn = true
	_, err := s.out.Write(picture)
	return err
}

// leave gives the terminal back.
func (s *screen) leave() {
	if s.terminal != nil && s.drawn {
		io.WriteString(s.out, showCursor)
	}
}
