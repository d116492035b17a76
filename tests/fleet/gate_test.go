// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The soft SCM makes signatures of several processes at the same time, however long its settings let one take. An SCM makes one at a
// time, for all processes of its machine. So a gate stands before each of p11-kit's servers where that is measured: it gives each
// signature a turn of its own, which is as long as one takes. Turns are by the clock, since an SCM is no slower while the processors of
// its machine are busy.
const (
	gateVariable = "ZK_FLEET_GATE" // the file that has the end of the last turn
	turnVariable = "ZK_FLEET_TURN" // how long one is
	callSign     = 43              // C_Sign in messages of p11-kit
)

func TestMain(m *testing.M) {
	if path := os.Getenv(gateVariable); path != "" {
		if err := keepGate(path, os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, "gate:", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// gate is between a client, which is at the standard input and output, and a server.
type gate struct {
	turns    *os.File
	length   time.Duration
	toServer io.Writer
	server   io.Reader
}

// keepGate runs a server of p11-kit behind a gate, until the client has gone.
func keepGate(path string, words []string) error {
	turns, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	length, err := time.ParseDuration(os.Getenv(turnVariable))
	if err != nil {
		return err
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Stderr = os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	output, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g := gate{turns, length, input, output}
	if err := g.pass(); err != nil && err != io.EOF {
		return err
	}
	_ = input.Close()
	return cmd.Wait()
}

// pass passes the versions of both, then questions and answers.
func (g gate) pass() error {
	if _, err := io.CopyN(g.toServer, os.Stdin, 1); err != nil {
		return err
	}
	if _, err := io.CopyN(os.Stdout, g.server, 1); err != nil {
		return err
	}
	for {
		question, err := readMessage(os.Stdin)
		if err != nil {
			return err
		}
		answer, err := g.ask(question)
		if err != nil {
			return err
		}
		if _, err := os.Stdout.Write(answer); err != nil {
			return err
		}
	}
}

// ask has the server answer, a signature when it is its turn.
func (g gate) ask(question []byte) ([]byte, error) {
	if isSignature(question) {
		if err := g.awaitTurn(); err != nil {
			return nil, err
		}
	}
	if _, err := g.toServer.Write(question); err != nil {
		return nil, err
	}
	return readMessage(g.server)
}

// awaitTurn takes the next turn, and waits until it begins.
func (g gate) awaitTurn() error {
	wait, err := takeTurn(g.turns, g.length)
	time.Sleep(wait)
	return err
}

// takeTurn has the next turn begin later by a time, and returns in what time that turn begins which would have been the next.
func takeTurn(turns *os.File, length time.Duration) (time.Duration, error) {
	if err := unix.Flock(int(turns.Fd()), unix.LOCK_EX); err != nil {
		return 0, err
	}
	var last [8]byte
	_, _ = turns.ReadAt(last[:], 0) // there may be none
	now := monotonic()
	begin := max(now, time.Duration(binary.BigEndian.Uint64(last[:])))
	binary.BigEndian.PutUint64(last[:], uint64(begin+length))
	_, err := turns.WriteAt(last[:], 0)
	return begin - now, errors.Join(err, unix.Flock(int(turns.Fd()), unix.LOCK_UN))
}

// monotonic is a clock that all processes of the machine share.
func monotonic() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) // it cannot fail
	return time.Duration(now.Nano())
}

const headSize = 12 // the number of the question, the lengths of options and body

// readMessage reads a whole one.
func readMessage(from io.Reader) ([]byte, error) {
	head := make([]byte, headSize)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint32(head[4:]) + binary.BigEndian.Uint32(head[8:])
	whole := append(head, make([]byte, size)...)
	_, err := io.ReadFull(from, whole[headSize:])
	return whole, err
}

// isSignature reports whether a message asks for a signature, and not for its size only: the function that it calls is at the beginning
// of the body, the size of the caller's buffer at its end.
func isSignature(message []byte) bool {
	body := message[headSize+int(binary.BigEndian.Uint32(message[4:])):]
	if len(body) < 8 {
		return false
	}
	return binary.BigEndian.Uint32(body) == callSign && binary.BigEndian.Uint32(body[len(body)-4:]) != 0
}
