// SPDX-License-Identifier: Apache-2.0

package packages

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
)

// shell is a machine that runs: what a script starts there goes on while the next one runs, and ends with the test.
type shell struct {
	*machine
	scripts io.Writer
	answers *bufio.Reader
}

// serveScripts runs scripts that end in a NUL, and prints of each what it says and how it ended.
const serveScripts = `exec bash -c '
while IFS= read -r -d "" script; do
	said=$(sh -euc "$script" 2>&1 </dev/null) && end=well || end=badly
	printf "%s\n%s\0" "$said" "$end"
done'`

// start starts the system. What newMachine's other methods change from then on, it does not see.
func (m *machine) start() *shell {
	m.t.Helper()
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc", enter, "sh", m.lower, m.dir, serveScripts)
	cmd.Stderr = os.Stderr
	scripts, err := cmd.StdinPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		m.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		scripts.Close() // the shell ends, and the kernel kills what it has left
		_ = cmd.Wait()
	})
	return &shell{m, scripts, bufio.NewReader(answers)}
}

// run runs a script that has to end well.
func (s *shell) run(script string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.scripts, script+"\x00"); err != nil {
		s.t.Fatal(err)
	}
	answer, err := s.answers.ReadString(0)
	if err != nil {
		s.t.Fatalf("%s\n%v\n%s", script, err, answer)
	}
	said, well := strings.CutSuffix(answer, "\nwell\x00")
	if !well {
		s.t.Fatalf("%s\n%s", script, said)
	}
	return said
}
