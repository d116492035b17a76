// SPDX-License-Identifier: Apache-2.0

package simulate

import (
	"testing"
	"time"
)

// failing is a fleet under a load, whose first SCM is away for 10 s.
func failing(scms, inPool int, load float64) Setup {
	s := simple(scms, inPool)
	s.Rate = float64(scms) * load / s.Device.Seconds()
	s.Handshakes = int(100 * s.Rate)
	s.Failure = Failure{At: 20 * time.Second, For: 10 * time.Second}
	return s
}

// TestQueueAfterFailure: what has come meanwhile is served beside what comes, so that the queue of a failure of T lasts for T/(1-ρ)
// from its beginning.
func TestQueueAfterFailure(t *testing.T) {
	for _, load := range []float64{0.3, 0.5, 0.7} {
		s := failing(1, 1, load)
		c, err := FailureCost(s, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		over := s.Failure.For.Seconds() / (1 - load)
		near(t, "time until the queue is gone", c.Over.Seconds(), over, 0.15)
		near(t, "handshakes that are late", float64(c.Late), over*s.Rate, 0.15)
		near(t, "the slowest", c.Longest.Seconds(), s.Failure.For.Seconds(), 0.1)
		if c.Lost != 0 {
			t.Errorf("%d are lost to clients that wait for a minute", c.Lost)
		}
	}
}

// TestLost: clients that wait for half of the failure are lost if they come in its first half, and while the queue is as long as that.
func TestLost(t *testing.T) {
	const load = 0.5
	s := failing(1, 1, load)
	c, err := FailureCost(s, s.Failure.For/2)
	if err != nil {
		t.Fatal(err)
	}
	// A request that comes t after the failure began waits for T-t+ρt while it lasts, and for (1-ρ)(T/(1-ρ)-t) all the time: longer than T/2 until t = T/2(1-ρ).
	near(t, "handshakes that are lost", float64(c.Lost), s.Rate*s.Failure.For.Seconds()/2/(1-load), 0.15)
}

// TestPoolFails: the others of a pool take over if they have time for all. The signature that was being made is made again.
func TestPoolFails(t *testing.T) {
	c, err := FailureCost(failing(4, 4, 0.5), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if c.Lost != 0 || c.Longest > time.Second/2 {
		t.Errorf("%d lost, the slowest took %v", c.Lost, c.Longest)
	}
	own, err := FailureCost(failing(4, 1, 0.5), time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if own.Late < 10*c.Late {
		t.Errorf("%d are late with a pool, %d without", c.Late, own.Late)
	}
}

// TestFailureOfAnotherHost: a host with an SCM of its own does not notice.
func TestFailureOfAnotherHost(t *testing.T) {
	s := failing(2, 1, 0.5)
	with, calm := run(t, s), s
	calm.Failure = Failure{}
	before := run(t, calm).InOrder()
	same, others := 0, 0
	for i, h := range with.InOrder() {
		if h.Took == before[i].Took {
			same++
		} else {
			others++
		}
	}
	if same < others || others == 0 {
		t.Errorf("%d took as long as without the failure, %d did not", same, others)
	}
}

// TestSame: the same setup gives the same result, another seed another.
func TestSame(t *testing.T) {
	s := failing(2, 2, 0.8)
	first, second := run(t, s), run(t, s)
	for i := range first.Handshakes {
		if first.Handshakes[i] != second.Handshakes[i] {
			t.Fatalf("handshake %d: %+v and %+v", i, first.Handshakes[i], second.Handshakes[i])
		}
	}
	s.Seed++
	if other := run(t, s); other.Mean() == first.Mean() {
		t.Error("another seed gives the same")
	}
}

// TestChecked: what makes no sense is refused.
func TestChecked(t *testing.T) {
	good := failing(2, 2, 0.5)
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, s := range wrongSetups(good) {
		if _, err := Run(s); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := FailureCost(Setup{Clients: 1}, 0); err == nil {
		t.Error("the cost of a failure is told of clients in a loop")
	}
}

func wrongSetups(good Setup) map[string]Setup {
	changes := map[string]Setup{}
	for _, name := range []string{"no hosts", "half a pool", "too much resumption", "nobody comes", "a time below 0"} {
		s := good
		switch name {
		case "no hosts":
			s.Hosts = 0
		case "half a pool":
			s.SCMs = 3
		case "too much resumption":
			s.Resumption = 1.1
		case "nobody comes":
			s.Rate = 0
		default:
			s.Link = -1
		}
		changes[name] = s
	}
	return changes
}

// TestMadeAgain: one SCM signs in the order in which handshakes come, also for the one that it was signing for when it went away.
func TestMadeAgain(t *testing.T) {
	for i, h := range run(t, failing(1, 1, 0.95)).Handshakes { // others wait then
		if h.Number != i {
			t.Fatalf("handshake %d ends as number %d", h.Number, i)
		}
	}
}
