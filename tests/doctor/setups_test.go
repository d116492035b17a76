// SPDX-License-Identifier: Apache-2.0

package doctor

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// setup is a set-up that is broken.
type setup struct {
	settings string // with $DIR, as in all that follows $DIR, $STATE and $CONF
	breaking string // script that breaks it, once
	shell    string // what is wrong with the shell in which doctor runs
	around   string
	options  string
	private  bool

	finding, command string
	also             []string // what else is found
	status           int
	fixed            bool     // by --fix
	cured            bool     // by the command that doctor tells
	fill             string   // what a command asks for
	rest             []string // what is left after that
}

// Words that many set-ups share.
const (
	daemonsDirectory = `chgrp -R daemon "$STATE"; chmod 2770 "$STATE"`
	daemonsOwn       = daemonsDirectory + `; chmod 660 "$STATE"/*.*`
	stranger         = "setpriv --reuid=5001 --regid=5001 --clear-groups"
	strangers        = `chown -R 5001:5001 "$STATE"`
	ofDaemon         = "state_group = \"daemon\"\n"
	wrongPIN         = `for i in $(seq 10); do ! zk_pkcs11-util --use-zkslot 0 --label x --pin 0000 2>/dev/null; done`
	started          = "while [ \"$(cat /proc/$server/comm)\" != sleep ]; do sleep 0.05; done"
	// The system's directory and its group, in a mount namespace that has both to itself.
	strayedToDaemon = `{ cat /etc/group; echo zk_pkcs11:x:5995:; } >"$DIR/group"; mount --bind "$DIR/group" /etc/group; unset ZK_PKCS11_HOME
		mount -t tmpfs none /var/lib; chmod 755 /var/lib; cp -a "$HEALTHY" /var/lib/zk_pkcs11; cd /var/lib/zk_pkcs11; chgrp -R daemon .; chmod 2770 .; chmod 660 *.*; cd "$DIR"`
	kit = "mount -t tmpfs none /usr/share; mkdir -p /usr/share/p11-kit/modules /etc/pkcs11; mount -t tmpfs none /etc/pkcs11; mkdir /etc/pkcs11/modules; A=/usr/share/p11-kit/modules; B=/etc/pkcs11/modules\n"
)

// setups are named by what is broken.
func setups() map[string]setup {
	return map[string]setup{
		"settings that are not there": {shell: "export ZK_PKCS11_CONF=/nowhere/x.toml", finding: "settings-missing", command: "unset ZK_PKCS11_CONF", status: 2, cured: true},
		"settings of somebody else": {breaking: `chmod 600 "$CONF"; ` + strangers, around: stranger, finding: "settings-unreadable", command: "chmod a+r $CONF",
			status: 2, cured: true},
		"settings with a typing error":   {settings: "backend = \"soft\"\nstate = \n", finding: "settings-invalid", command: "editor +2 $CONF", status: 2},
		"a setting that there is not":    {settings: "backend = \"soft\"\n\nstat = \"x\"\n", finding: "settings-invalid", command: "editor +3 $CONF", status: 2},
		"a variable with a typing error": {shell: "export ZK_PKCS11_BACKEND=sfot", finding: "variable-invalid", command: "unset ZK_PKCS11_BACKEND", status: 2, cured: true},
		"settings that all can write":    {breaking: `chmod 666 "$CONF"`, finding: "settings-writable", command: "chmod o-w $CONF", status: 1, fixed: true, cured: true},
		"a slot that hides the token": {settings: "[[slot]]\nname = \"a\"\n", finding: "slots-hide-token",
			command: `printf '\n[[slot]]\nname = "above"\nstate = "."\n' >> $CONF`, status: 1, cured: true},
		"a trace by a variable": {shell: "export ZK_PKCS11_TRACE=$DIR/trace", finding: "trace-on", command: "unset ZK_PKCS11_TRACE", status: 1, cured: true},
		"a trace by a setting":  {settings: "trace = \"$DIR/trace\"\n", finding: "trace-on", command: "sed -i '/^trace *=/d' $CONF", status: 1, cured: true},
		"a log in a folder of root": {settings: "[log]\nto = \"$DIR/log/zk\"\n", breaking: `mkdir "$DIR/log"; ` + strangers, around: stranger,
			finding: "log-unwritable", command: "install -d -m 1777 $DIR/log", status: 1, cured: true},

		"a group that there is not": {settings: "state_group = \"nobodys\"\n", finding: "state-group-unknown", command: "groupadd --system nobodys", status: 2},
		"a group that there is not, and a directory of another one": {settings: "state_group = \"nobodys\"\n", breaking: daemonsOwn, finding: "state-group-unknown",
			command: `sed -i 's/^state_group.*/state_group = "daemon"/' $CONF`, status: 1, cured: true},
		"another group than that of the settings": {settings: ofDaemon, breaking: daemonsOwn + `; chgrp -R bin "$STATE"; chmod 2770 "$STATE"`, finding: "state-group-differs",
			command: "zk_pkcs11-util doctor --fix", status: 2, fixed: true, cured: true},
		"the directory of all users with another group": {private: true, settings: "state = \"/var/lib/zk_pkcs11\"\n", shell: strayedToDaemon, finding: "state-group-differs",
			command: "chgrp -R zk_pkcs11 /var/lib/zk_pkcs11 && chmod 2770 /var/lib/zk_pkcs11 && find /var/lib/zk_pkcs11 -maxdepth 1 -type f -links 1 ! -name root.key -exec chmod 660 {} +", status: 1, cured: true},
		"the directory of all users with another group, and a slot in it": {private: true, settings: "state = \"/var/lib/zk_pkcs11\"\n[[slot]]\nname = \"a\"\n",
			shell: strayedToDaemon + "\nmkdir a; mv /var/lib/zk_pkcs11/*.* a; mv a /var/lib/zk_pkcs11; chgrp daemon /var/lib/zk_pkcs11/a; chmod 2770 /var/lib/zk_pkcs11/a", finding: "state-group-differs",
			command: "chgrp -R zk_pkcs11 /var/lib/zk_pkcs11 && chmod 2770 /var/lib/zk_pkcs11 && find ", status: 1, cured: true},
		"a server of the group of all users": {private: true, settings: "state = \"/var/lib/zk_pkcs11\"\n", finding: "process-shut-out", also: []string{"state-group-differs"},
			shell:   strayedToDaemon + "\nsetpriv --reuid=5001 --regid=5001 --groups=5995 sleep 600 >/dev/null 2>&1 & server=$!; " + started,
			options: "--pid $server", command: "chgrp -R zk_pkcs11 /var/lib/zk_pkcs11 && ", status: 2, cured: true},
		"a group that may not write": {settings: ofDaemon, breaking: daemonsOwn + `; chmod 2750 "$STATE"`, finding: "state-group-mode",
			command: "zk_pkcs11-util doctor --fix", status: 2, fixed: true, cured: true},
		"a directory that hands no group on": {settings: ofDaemon, breaking: daemonsOwn + `; chmod 0770 "$STATE"; chmod g-s "$STATE"`, finding: "state-group-mode",
			command: "zk_pkcs11-util doctor --fix", status: 2, fixed: true, cured: true},
		"a file that root has put back": {settings: ofDaemon, breaking: daemonsOwn + `; chmod 600 "$STATE/token.db"`, finding: "state-file-group",
			command: "zk_pkcs11-util doctor --fix", status: 2, fixed: true, cured: true},
		"a file of root in a directory of a user": {breaking: strangers + `; chown 0:0 "$STATE/flash.db"`, finding: "state-file-owner",
			command: "chown -R --reference=$STATE $STATE && chmod -R u+rw $STATE", status: 2, fixed: true, cured: true},
		"an SCM of a member beside the token of root": {settings: ofDaemon, breaking: daemonsOwn + `; chown 5001 "$STATE/flash.db"`, finding: "state-file-owner",
			command: "zk_pkcs11-util doctor --fix", status: 1, fixed: true, cured: true},
		"a file of another group in a directory of root": {breaking: `chgrp daemon "$STATE/flash.db"`, finding: "state-file-owner",
			command: "zk_pkcs11-util doctor --fix", status: 1, fixed: true, cured: true},
		"an SCM that a server has made anew in the directory of its group": {settings: ofDaemon, breaking: `rm "$STATE"/*; ` + daemonsDirectory + `; setpriv --reuid=5001 --regid=daemon --clear-groups zk_pkcs11-util scm status >/dev/null; [ "$(stat -c %a%u "$STATE/root.key")" = 6405001 ]`,
			finding: "token-uninitialised", command: "zk_pkcs11-util token init --slot 0 --label LABEL", status: 1},
		"a directory that all can write": {breaking: `chmod 777 "$STATE"`, finding: "state-open", command: "chmod go-w $STATE", status: 1, fixed: true, cured: true},
		"a directory of a group that no setting names": {settings: "# none\n", breaking: daemonsOwn, finding: "state-open",
			command: `sed -i '1i state_group = "daemon"' $CONF`, status: 1, cured: true},
		"a flash that all can read": {breaking: `chmod 644 "$STATE/flash.db"`, finding: "state-readable", command: "chmod o-rwx $STATE/flash.db",
			status: 1, fixed: true, cured: true},
		"a parent that only its owner enters": {settings: ofDaemon, breaking: daemonsOwn + `; chmod 700 "$DIR"`, finding: "state-parent-closed", command: "chmod a+x $DIR",
			status: 2, cured: true},
		"a directory of root for a user": {breaking: `chmod 700 "$STATE"`, around: stranger, finding: "state-closed", command: "sudo -u root zk_pkcs11-util doctor", status: 2},
		"a directory of a group for others": {settings: ofDaemon, breaking: daemonsOwn, around: stranger, finding: "state-closed",
			command: "usermod -aG daemon 5001", status: 2},
		"a disk for reading only": {private: true, shell: `mount --bind "$STATE" "$STATE"; mount -o remount,ro,bind "$STATE"`, finding: "state-read-only",
			command: "mount -o remount,rw ", status: 1},
		"a link that leads nowhere":        {breaking: `mv "$STATE" "$DIR/away"; ln -s "$DIR/gone" "$STATE"`, finding: "state-link-stale", command: "rm $STATE", status: 2, fixed: true, cured: true},
		"a file in place of the directory": {breaking: `rm -r "$STATE"; touch "$STATE"`, finding: "state-not-directory", command: "mv $STATE $STATE.aside", status: 2, cured: true},
		"what a restore has left":          {breaking: `cp -a "$STATE" "$STATE.old-20260101T000000.000Z"`, finding: "state-left", command: "rm -r $STATE.old-20260101T000000.000Z", status: 1, cured: true},
		"a token of a newer release":       {breaking: `python3 -c "import sqlite3,os; c=sqlite3.connect(os.environ['STATE']+'/token.db'); c.execute('PRAGMA user_version=99'); c.commit()"`, finding: "state-newer", command: "apt-get install --only-upgrade libzk-pkcs11 zk-pkcs11-utils", status: 2},
		"an SCM of a newer release":        {breaking: `python3 -c "import sqlite3,os; c=sqlite3.connect(os.environ['STATE']+'/flash.db'); c.execute('PRAGMA user_version=99'); c.commit()"`, finding: "state-newer", command: "apt-get install --only-upgrade libzk-pkcs11 zk-pkcs11-utils", status: 2},
		"a token of version 0.1.0":         {breaking: `rm "$STATE"/*; install -m 600 "$OLD"/* "$STATE"`, finding: "state-older", command: "zk_pkcs11-util --show-slots", status: 1, cured: true, also: []string{"pin-tries"}, rest: []string{"pin-tries"}},
		"a damaged token":                  {breaking: `rm "$STATE"/token.db-*; head -c 57344 /dev/urandom > "$STATE/token.db"`, finding: "state-damaged", command: "zk_pkcs11-util token restore FILE", status: 2},
		"a token without its SCM": {breaking: `rm "$STATE"/flash.db*`, finding: "scm-gone",
			command: "zk_pkcs11-util token restore FILE --slot 0 # with recovery words and no backup: zk_pkcs11-util token recovery restore --slot 0", status: 2},
		"an SCM without its token": {breaking: `rm "$STATE"/token.*`, finding: "token-gone", command: "zk_pkcs11-util token restore FILE", status: 2},
		"the SCM of another token": {breaking: `mkdir "$DIR/b"; ZK_PKCS11_HOME=$DIR/b zk_pkcs11-util --init-token --label b --pin 1234 --so-pin 1234; cp -a "$DIR"/b/flash.db* "$STATE"`, finding: "token-foreign",
			command: "zk_pkcs11-util token recovery restore", status: 2},

		"a certificate whose key is gone": {breaking: `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$DIR/k" -out "$DIR/c" -subj /CN=gone -addext basicConstraints=critical,CA:FALSE
			zk_pkcs11-util cert import "$DIR/c" --without-key --pin 12345678`, finding: "certificate-keyless", command: "zk_pkcs11-util cert delete --slot 0 --label gone", status: 1, cured: true, fill: " --yes --pin 12345678"},
		"an SCM that does not see its host": {breaking: "zk_pkcs11-util scm inject unbind", finding: "scm-unbound", command: "zk_pkcs11-util scm inject unbind --undo", status: 2, cured: true},
		"an SCM that has destroyed its keys": {breaking: "zk_pkcs11-util scm lock-binding --yes; zk_pkcs11-util scm inject boot; zk_pkcs11-util scm inject fatal 6",
			finding: "scm-destroyed", command: "zk_pkcs11-util scm reset", status: 2},
		"a firmware that loses keys": {settings: "[soft]\nfirmware = \"01.02.02release\"\n", finding: "firmware-defects", command: "sed -i '/^firmware *=/d' $CONF", status: 1, cured: true},
		"an empty battery":           {breaking: "zk_pkcs11-util scm inject battery 2.1", finding: "battery-low", command: "zk_pkcs11-util scm inject battery 3.1", status: 1, cured: true},
		"an SCM that is too cold":    {breaking: "zk_pkcs11-util scm inject temperature -- -30", finding: "temperature-out", command: "zk_pkcs11-util scm inject temperature 40", status: 1, cured: true},
		"a breached perimeter":       {breaking: "zk_pkcs11-util scm inject tamper 1", finding: "perimeter-breached", command: "zk_pkcs11-util scm status", status: 1},
		"hardware without a library": {shell: "export ZK_PKCS11_BACKEND=zymbit", finding: "backend-library", command: "export ZK_PKCS11_BACKEND=soft", status: 2, cured: true},
		"a library that is not there": {settings: "backend = \"zymbit\"\n[zymbit]\nlibrary = \"/nowhere/libzk_app_utils.so\"\n", shell: "unset ZK_PKCS11_BACKEND", finding: "backend-library",
			command: "sed -i '/^library *=/d' $CONF", status: 2},
		"a library that is none": {settings: "backend = \"auto\"\n[zymbit]\nlibrary = \"$CONF\"\n", shell: "unset ZK_PKCS11_BACKEND", finding: "backend-library",
			command: "sed -i '/^library *=/d' $CONF", status: 2, cured: true},
		"hardware that does not answer": {shell: "zk_pkcs11-util scm inject unbind; export ZK_PKCS11_BACKEND=zymbit ZK_APP_UTILS_LIB=$LIBRARY", finding: "device-silent",
			command: "systemctl enable --now zkifc && zk_pkcs11-util scm wait", status: 2},
		"hardware whose daemon hangs": {shell: `zk_pkcs11-util scm inject unbind; cp /bin/sleep "$DIR/zkifc"; "$DIR/zkifc" 600 >/dev/null 2>&1 & server=$!
			while [ "$(cat /proc/$server/comm)" != zkifc ]; do sleep 0.05; done; export ZK_PKCS11_BACKEND=zymbit ZK_APP_UTILS_LIB=$LIBRARY`,
			finding: "device-silent", command: "systemctl restart zkifc && zk_pkcs11-util scm wait", status: 2},

		"a token that was never initialised": {breaking: `rm "$STATE"/*`, finding: "token-uninitialised", command: "zk_pkcs11-util token init --slot 0 --label LABEL", status: 1, cured: true, fill: " --so-pin 87654321 --pin 1234"},
		"no user PIN": {breaking: `rm "$STATE"/*; pkcs11-tool --module "$MODULE" --init-token --label x --so-pin 87654321`, finding: "pin-unset",
			command: "zk_pkcs11-util token unlock --slot 0", status: 2, cured: true, fill: " --so-pin 87654321 --new-pin 1234"},
		"a locked user PIN": {breaking: wrongPIN, finding: "pin-locked", command: "zk_pkcs11-util token unlock --slot 0", status: 2, cured: true, fill: " --so-pin 87654321 --new-pin 1234"},
		"a wrong user PIN": {breaking: `! zk_pkcs11-util --use-zkslot 0 --label x --pin 0000`, finding: "pin-tries",
			command: "zk_pkcs11-util key list --login --slot 0", status: 1, cured: true, fill: " --pin 12345678"},
		"a wrong SO PIN": {breaking: `! zk_pkcs11-util --init-token --yes --label x --pin 1234 --so-pin 0000`, finding: "so-pin-tries",
			command: "pkcs11-tool --module libzk_pkcs11.so --login --login-type so --test", status: 1},
		"a locked SO PIN": {breaking: `for i in $(seq 10); do ! zk_pkcs11-util --init-token --yes --label x --pin 1234 --so-pin 0000; done`, finding: "so-pin-locked",
			command: "zk_pkcs11-util token backup FILE", status: 1},

		"a registration that leads nowhere": {private: true, shell: kit + "echo 'module: /nowhere/libzk_pkcs11.so' >$A/zk_pkcs11.module", finding: "registration-stale",
			command: "/usr/share/p11-kit/modules/zk_pkcs11.module", status: 1, cured: true},
		"a registration twice": {private: true, shell: kit + `for f in $A/a $A/b; do echo "module: $MODULE" >$f.module; done`, finding: "registration-twice",
			command: "rm /usr/share/p11-kit/modules/a.module", status: 1, cured: true},
		"a registration that hides another": {private: true, shell: kit + `for d in $A $B; do echo "module: $MODULE" >$d/zk_pkcs11.module; done`, finding: "registration-hidden",
			command: "rm /etc/pkcs11/modules/zk_pkcs11.module", status: 1, cured: true},
		"a registration that only root can read": {private: true, breaking: strangers, shell: kit + `echo "module: $MODULE" >$A/zk_pkcs11.module; chmod 600 $A/*`, around: stranger, finding: "registration-unreadable",
			command: "chmod a+r /usr/share/p11-kit/modules/zk_pkcs11.module", status: 1, cured: true},
		"a module that only root can read": {private: true, breaking: strangers, shell: kit + `install -m 600 "$MODULE" "$DIR"/libzk_pkcs11.so; echo "module: $DIR/libzk_pkcs11.so" >$A/zk_pkcs11.module`, around: stranger,
			finding: "registration-module-closed", command: "chmod a+rx $DIR/libzk_pkcs11.so", status: 1, cured: true},
		"two modules of one name": {private: true, shell: `mount -t tmpfs none /usr/local/lib; mount -t tmpfs none /usr/lib/pkcs11 || mount -t tmpfs none /usr/lib/x86_64-linux-gnu/pkcs11
			for d in /usr/local/lib $(test -w /usr/lib/pkcs11 && echo /usr/lib/pkcs11 || echo /usr/lib/x86_64-linux-gnu/pkcs11); do cp "$MODULE" "$d"; done`,
			finding: "module-twice", command: "dpkg --search /usr/local/lib/libzk_pkcs11.so ", status: 1},

		"a clock in the past":           {breaking: `touch -d '2040-01-01' "$STATE/token.db"`, finding: "clock-behind", command: "timedatectl set-ntp true", status: 1},
		"too little entropy":            {private: true, shell: `echo 7 >"$DIR/bits"; mount --bind "$DIR/bits" /proc/sys/kernel/random/entropy_avail`, finding: "entropy-low", command: "apt-get install rng-tools5", status: 1},
		"a disk that is nearly full":    {private: true, shell: `mount -t tmpfs -o size=8m none "$STATE"; cp -a "$HEALTHY"/. "$STATE"`, finding: "space-low", command: "df -h $STATE", status: 1},
		"a disk that is full":           {private: true, shell: `mount -t tmpfs -o size=2m none "$STATE"; cp -a "$HEALTHY"/. "$STATE"`, finding: "space-none", command: "df -h $STATE", status: 2},
		"a disk without room for files": {private: true, shell: `mount -t tmpfs -o size=64m,nr_inodes=40 none "$STATE"; cp -a "$HEALTHY"/. "$STATE"`, finding: "inodes-low", command: "df -i $STATE", status: 1},

		"too little address space": {shell: "export MALLOC_ARENA_MAX=1; ulimit -S -v 1800000", finding: "limit-address-space", command: "prlimit --pid $$ --as=unlimited:", status: 2, cured: true},
		"too little data":          {shell: "export MALLOC_ARENA_MAX=1; ulimit -S -d 250000", finding: "limit-data", command: "prlimit --pid $$ --data=unlimited:", status: 2, cured: true},
		"too few descriptors":      {shell: "ulimit -S -n 40", options: "--pid $$", finding: "limit-files", command: "prlimit --pid ", status: 1},
		"files that may not grow":  {shell: "ulimit -S -f 8000", finding: "limit-file-size", command: "prlimit --pid $$ --fsize=unlimited:", status: 1, cured: true},
		"too few threads of a server": {breaking: strangers, shell: "(ulimit -S -u 3; exec " + stranger + ` sleep 600 >/dev/null 2>&1) & server=$!; ` + started, options: "--pid $server",
			finding: "limit-threads", command: "prlimit --pid ", status: 2},
		"a server that may not use the token": {shell: stranger + ` sleep 600 >/dev/null 2>&1 & server=$!; ` + started, options: "--pid $server", finding: "process-shut-out", command: "chown -R 5001 $STATE", status: 2, cured: true},
		"a server with the module of before": {shell: `cp "$MODULE" "$DIR"/libzk_pkcs11.so
			python3 -c "import mmap,os,time; f=open(os.environ['DIR']+'/libzk_pkcs11.so','rb'); m=mmap.mmap(f.fileno(),0,prot=mmap.PROT_READ); os.remove(f.name); time.sleep(600)" >/dev/null 2>&1 &
			server=$!; while [ -e "$DIR"/libzk_pkcs11.so ]; do sleep 0.05; done`,
			options: "--pid $server", finding: "process-outdated", command: "systemctl restart UNIT", status: 1},
		"a process that there is not": {options: "--pid 999999999", finding: "process-unknown", command: "ps -e -o pid,user,comm", status: 1},
	}
}

// TestSetups: each is told by the name of its finding and the command that mends it, with nothing else and without a
// change; what --fix can mend is well after it, and so is what the command mends.
func TestSetups(t *testing.T) {
	for _, program := range []string{"setpriv", "python3", "pkcs11-tool", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("%s is not installed (see scripts/test.sh for the packages)", program)
		}
	}
	makeTemplate(t)
	all := setups()
	if len(all) < 25 {
		t.Errorf("%d set-ups only", len(all))
	}
	for name, s := range all {
		t.Run(name, s.try)
	}
}

// mayBeTried reports whether this user can make the set-up: some are those of several users, others have file systems of their own.
func (s setup) mayBeTried() bool {
	if os.Geteuid() == 0 {
		return !s.private || exec.Command("unshare", "-m", "true").Run() == nil
	}
	all := s.breaking + s.shell
	return !s.private && s.around == "" && !strings.Contains(all, "chgrp") && !strings.Contains(all, "chown") && !strings.Contains(all, stranger)
}

func (s setup) try(t *testing.T) {
	if !s.mayBeTried() {
		t.Skip("this set-up is one of several users, or has file systems of its own: it takes root, and unshare")
	}
	p := newPatient(t, s.settings)
	p.sh(orTrue(s.breaking))
	p.script, p.around, p.options, p.private = s.shell, s.around, s.options, s.private
	p.around = strings.ReplaceAll(p.around, "\n", " ")
	before := listing(t, p.dir)
	r := p.examine("", "")
	found := s.check(t, p, r)
	if after := listing(t, p.dir); after != before && s.shell == "" {
		t.Errorf("doctor has changed:\n%s", difference(before, after))
	}
	if s.cured && !s.fixed {
		s.wellAfter(t, p.examine(found.Command+s.fill, ""))
	}
	if !s.fixed {
		return
	}
	r = p.examine("", "--fix")
	if len(r.Mended) == 0 || r.Mended[0].Problem != "" || !found.Safe {
		t.Errorf("--fix: %+v", r.Mended)
	}
	s.wellAfter(t, r)
	s.cureAnother(t, found)
}

// cureAnother breaks a second one in the same way, and runs the command.
func (s setup) cureAnother(t *testing.T, found finding) {
	p := newPatient(t, s.settings)
	p.sh(orTrue(s.breaking))
	p.script, p.around, p.options, p.private = s.shell, s.around, s.options, s.private
	f, told := p.examine("", "").find(s.finding)
	if !told {
		t.Fatalf("the second time there is no finding %s", found.Name)
	}
	s.wellAfter(t, p.examine(f.Command, ""))
}

// check looks at the first report.
func (s setup) check(t *testing.T, p *patient, r report) finding {
	t.Helper()
	want := append([]string{s.finding}, s.also...)
	slices.Sort(want)
	f, told := r.find(s.finding)
	if !told || !slices.Equal(r.names(), want) || r.Status != s.status {
		t.Fatalf("status %d, want %d; %q, want %q:\n%+v", r.Status, s.status, r.names(), want, r.Findings)
	}
	command := strings.NewReplacer("$DIR", p.dir, "$STATE", p.state, "$CONF", p.conf).Replace(s.command)
	if !strings.Contains(f.Command, command) {
		t.Errorf("the command is %q, want %q", f.Command, command)
	}
	if f.What == "" || f.Why == "" || f.Safe != s.fixed && f.Name != "registration-unreadable" {
		t.Errorf("%+v", f)
	}
	return f
}

// wellAfter checks that nothing is left but what the set-up says.
func (s setup) wellAfter(t *testing.T, r report) {
	t.Helper()
	if !slices.Equal(r.names(), s.rest) {
		t.Errorf("left: %+v", r.Findings)
	}
}

// difference are the lines of two texts that are in one of them only.
func difference(before, after string) string {
	var b strings.Builder
	for _, x := range []struct{ sign, of, other string }{{"-", before, after}, {"+", after, before}} {
		for line := range strings.Lines(x.of) {
			if !strings.Contains(x.other, line) {
				b.WriteString(x.sign + line)
			}
		}
	}
	return b.String()
}
