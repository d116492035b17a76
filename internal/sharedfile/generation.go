// SPDX-License-Identifier: Apache-2.0

package sharedfile

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"libzk_pkcs11/internal/descriptor"
)

// The words of the counter's file. Those of the parts follow.
const (
	wordVersion = iota // the number that is committed; all that version 0.1.0 knows of
	wordWriter         // not 0 while a writer is at work, another number for each, and after its death
	wordTold           // the number of which the words of the parts know
	wordAll            // the number at which all parts changed last
	wordPurge          // 1 when something that was deleted may still be in the log
	wordRoom           // 1 when the room has been given up
	wordAsked          // until when readers hold back, for somebody who wants the file alone
	wordParts

	wordIndex = len(descriptor.Words{}) - 1 // for which files the log's index was made
	wordTurn  = wordIndex - 1               // when somebody asked last to be let write
)

// maxParts is for how many parts there are words.
const maxParts = wordTurn - wordParts

type words descriptor.Words

// generation is the counter of changes: numbers in a file that every process maps.
// A nil generation is constant. No descriptor stays open: the host could make it
// that of another file.
//
// They are written by the one who holds the write lock or has the file alone; wordPurge,
// wordAsked and wordTurn by anybody. The number is even, and every change makes it greater.
// What a change tells is stored in an order in which it can be read at any moment:
// first the parts, then wordTold, the version, and at last wordWriter.
//
// A process of version 0.1.0 makes the version odd while it changes something, and
// tells no parts: then the version is greater than wordTold.
type generation struct {
	words    *words
	writable bool
	mapping  *descriptor.Mapping
	cut      atomic.Bool   // the file has become too short, or tells less than before
	seen     atomic.Uint64 // the greatest version that was read or told
}

// errCut is of a counter that faults.
var errCut = fmt.Errorf("the counter of changes was cut or put back, or the disk has no room for it: %w", ErrReplaced)

// errCutIndex is of the log's index.
var errCutIndex = fmt.Errorf("the file was cut: %w", ErrReplaced)

// never is a number that no version is.
const never = 1

// snapshot is what the words say at one moment.
type snapshot struct {
	version   uint64 // that has been told
	part      uint64 // the version of a part, which may be about to be told
	unsettled bool   // a writer is at work, or has died
}

// readPart returns the version never once the file has been cut.
func (g *generation) readPart(part int) (s snapshot) {
	if g == nil {
		return snapshot{}
	}
	if g.cut.Load() {
		return snapshot{version: never, part: never}
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			g.cut.Store(true)
			s = snapshot{version: never, part: never}
		}
	}()
	seen := g.seen.Load()
	s, steady := g.words.steadySnapshot(part)
	runtime.KeepAlive(g)
	if s.version < seen || steady && s.part > s.version+mostStep {
		g.cut.Store(true)
		return snapshot{version: never, part: never}
	}
	g.noteVersion(s.version)
	return s
}

// noteVersion notes a version that this process has read, or told.
func (g *generation) noteVersion(version uint64) {
	for seen := g.seen.Load(); seen < version && !g.seen.CompareAndSwap(seen, version); {
		seen = g.seen.Load()
	}
}

// lastVersion returns the greatest version that this process has read or told.
func (g *generation) lastVersion() uint64 {
	if g == nil {
		return 0
	}
	return g.seen.Load()
}

// steadySnapshot takes it again when others tell something meanwhile: a thread that is preempted
// between two words may find one of a later change. It reports whether nobody has.
func (w *words) steadySnapshot(part int) (s snapshot, steady bool) {
	const attempts = 10
	for range attempts {
		version, told := w[wordVersion].Load(), w[wordTold].Load()
		s = w.snapshot(part)
		if version == w[wordVersion].Load() && told == w[wordTold].Load() {
			return s, true
		}
	}
	return s, false
}

func (w *words) snapshot(part int) snapshot {
	stored := w[wordVersion].Load()
	s := snapshot{version: stored &^ 1, unsettled: stored&1 == 1 || w[wordWriter].Load() != 0}
	if told := w[wordTold].Load(); s.version > told || part < 0 || part >= maxParts {
		s.part = s.version
	} else {
		s.part = max(w[wordAll].Load(), w[wordParts+part].Load())
	}
	return s
}

// loadWord returns 0 once the file has been cut.
func (g *generation) loadWord(word int) (v uint64) {
	if g == nil || g.cut.Load() {
		return 0
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			g.cut.Store(true)
			v = 0
		}
	}()
	v = g.words[word].Load()
	runtime.KeepAlive(g)
	return v
}

// storeWord fails when the file has become too short, or the disk too full to write to it.
func (g *generation) storeWord(word int, v uint64) (err error) {
	if g == nil || !g.writable {
		return nil
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if recover() != nil {
			g.cut.Store(true)
			err = errCut
		}
	}()
	g.words[word].Store(v)
	runtime.KeepAlive(g)
	return nil
}

// intact returns errCut when what is in memory says nothing any more.
func (g *generation) intact() error {
	if g != nil && g.cut.Load() {
		return errCut
	}
	return nil
}

func (g *generation) version() uint64 { return g.readPart(allParts).version }

func (g *generation) unsettled() bool { return g.readPart(allParts).unsettled }

// moves returns a number that is another one once somebody has begun or ended a change.
func (g *generation) moves() uint64 {
	if writer := g.loadWord(wordWriter); writer != 0 {
		return writer
	}
	return g.loadWord(wordVersion)
}

// beginChange marks that a writer is at work. It tells the parts first what others, which
// do not know of them, have changed.
func (g *generation) beginChange() error {
	if v := g.version(); v > g.loadWord(wordTold) {
		if err := g.storeWord(wordAll, v); err != nil {
			return err
		}
		if err := g.storeWord(wordTold, v); err != nil {
			return err
		}
	}
	return g.storeWord(wordWriter, uint64(time.Now().UnixNano()))
}

// allParts stands for each of them.
const allParts = -1

// tellChange gives a change the next number, which the parts get that were changed.
func (g *generation) tellChange(parts ...int) (uint64, error) {
	next := g.version() + randomStep()
	for _, part := range parts {
		word := wordAll
		if part >= 0 && part < maxParts {
			word = wordParts + part
		}
		if err := g.storeWord(word, next); err != nil {
			return next, err
		}
	}
	if err := g.storeWord(wordTold, next); err != nil {
		return next, err
	}
	err := g.storeWord(wordVersion, next)
	if err == nil && g != nil && g.writable {
		g.noteVersion(next)
	}
	return next, err
}

// randomStep is by how much a version is greater than the one before. It is drawn, so that a
// counter that was put back from a backup and has gone on since is not where it was before.
func randomStep() uint64 { return 2 * (1 + rand.Uint64N(mostStep/2)) }

const mostStep = 1 << 16

// endChange takes the mark of begin away.
func (g *generation) endChange() { _ = g.storeWord(wordWriter, 0) }

// settle tells what a writer that died may have changed.
func (g *generation) settle() {
	if _, err := g.tellChange(allParts); err == nil {
		g.endChange()
	}
}

// For so long readers hold back at once, so that those who are in the file leave it
// and somebody gets it alone. It ends by itself: the one who asked may be stopped, or dead.
const (
	leastHoldBack = 4 * time.Millisecond
	mostHoldBack  = 16 * time.Millisecond
)

// askForRoom has readers hold back for a time, or go on.
func (g *generation) askForRoom(holdBack time.Duration) {
	until := uint64(0)
	if holdBack > 0 {
		until = uint64(time.Now().Add(holdBack).UnixNano())
	}
	_ = g.storeWord(wordAsked, until)
}

// isFree reports whether readers need not hold back.
func (g *generation) isFree() (bool, error) { return !g.isAskedFor(), nil }

// isAskedFor reports whether readers should hold back.
func (g *generation) isAskedFor() bool {
	until := g.loadWord(wordAsked)
	if until == 0 {
		return false
	}
	left := time.Duration(until - uint64(time.Now().UnixNano()))
	return left > 0 && left <= mostHoldBack
}
