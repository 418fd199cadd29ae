// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestShortageAndRelief(t *testing.T) {
	s := newServer(t)
	events := s.watch("available<10%")
	before := time.Now()
	s.simulate(scarce)
	event := demand(t, events, Reached, "available")
	if event.Value >= event.Limit || event.Value.Bytes() != uint64(event.Value)*uint64(os.Getpagesize()) {
		t.Errorf("%+v", event)
	}
	const rounding = time.Millisecond
	if event.Time.Before(before.Add(-rounding)) || event.Time.After(time.Now().Add(rounding)) {
		t.Errorf("between %v and now it was at %v", before, event.Time)
	}
	s.simulate(enough)
	event = demand(t, events, Left, "available")
	if event.Value < event.Limit {
		t.Errorf("%+v", event)
	}
}

func TestReachedAlready(t *testing.T) {
	s := newServer(t)
	s.simulate(scarce)
	events := s.watch("used 80%\navailable<10% free<1")
	demand(t, events, Reached, "available")
	event := demand(t, events, Reached, "used")
	if event.Value < event.Limit || event.Limit == 0 {
		t.Errorf("%+v", event)
	}
	s.simulate(enough)
	left := map[string]bool{next(t, events).Meter: true, next(t, events).Meter: true}
	if !left["used"] || !left["available"] {
		t.Errorf("left: %v", left)
	}
}

func TestRestart(t *testing.T) {
	for _, number := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		t.Run(number.String(), func(t *testing.T) {
			s := newServer(t)
			events := s.watch("available<10%")
			for round := 0; round < 2; round++ {
				s.simulate(scarce)
				demand(t, events, Reached, "available")
				s.end(number)
				s.start()
				event := demand(t, events, Reconnected, "")
				meter := event.State["available"]
				if meter.Limit == 0 || meter.Value == 0 || event.State["total"].Value < meter.Value {
					t.Errorf("%+v", event.State)
				}
				s.simulate(scarce)
				if !meter.Reached { // else it was connected before the shortage had ended
					demand(t, events, Reached, "available")
				}
				s.simulate(enough)
				demand(t, events, Left, "available")
			}
		})
	}
}

func TestShortageWhileItIsAway(t *testing.T) {
	s := newServer(t)
	events := s.watch("available<10%")
	s.end(syscall.SIGKILL)
	elsewhere := s.mount + ".elsewhere"
	s.startAt(elsewhere)
	s.simulate(scarce)
	if err := os.Rename(elsewhere, s.socket()); err != nil {
		t.Fatal(err)
	}
	event := demand(t, events, Reconnected, "")
	if !event.State["available"].Reached {
		t.Errorf("%+v", event.State)
	}
	s.simulate(enough)
	demand(t, events, Left, "available")
}

func TestBadLimits(t *testing.T) {
	s := newServer(t)
	for _, row := range []struct {
		limits string
		column int
		reason string
	}{
		{"available<10% unknown 5", 15, "meter"},
		{"used 101%", 6, "%"},
		{"# used\nused x", 13, "number"},
		{"used 5 # 5\n free >", 19, "number"},
		{strings.Repeat("used 5 ", 1000), 0, "longer"},
	} {
		events, err := Watch(context.Background(), row.limits, At(s.mount))
		var bad *LimitError
		if events != nil || !errors.As(err, &bad) {
			t.Errorf("%q: %v", row.limits, err)
		} else if bad.Column != row.column || !strings.Contains(bad.Reason, row.reason) || bad.Limits != row.limits {
			t.Errorf("%+v", bad)
		}
	}
}

func TestLimitsThatAreNotTakenAnyMore(t *testing.T) {
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	requests, _ := watchRequests("used 80%")
	w := &watcher{limits: "used 80%", requests: requests, sockets: []string{s.socket()}, events: make(chan Event)}
	session, err := w.open(ctx)
	if err != nil {
		t.Fatal(err)
	}
	w.limits = "unknown 5"
	w.requests, _ = watchRequests(w.limits)
	go w.run(ctx, session)
	s.end(syscall.SIGKILL)
	s.start()
	if event := demand(t, w.events, Failed, ""); !errors.As(event.Err, new(*LimitError)) {
		t.Errorf("%+v", event)
	}
	if event, more := <-w.events; more {
		t.Errorf("%+v", event)
	}
}

func TestTwoClients(t *testing.T) {
	s := newServer(t)
	first, second := s.watch("available<10%"), s.watch("available<50% used 50%")
	s.simulate("available 40%")
	demand(t, second, Reached, "available")
	s.simulate("available 5%")
	demand(t, first, Reached, "available")
	s.simulate("used 60%")
	demand(t, second, Reached, "used")
	s.simulate("available 20%")
	demand(t, first, Left, "available")
}

func TestSlowReceiver(t *testing.T) {
	const rounds = 2000
	s := newServer(t)
	events := s.watch("available<10%")
	for i := 0; i < rounds; i++ {
		s.simulate("available 5%")
		s.simulate("available 80%")
	}
	s.simulate("used 90%") // no event
	var told, lost uint64
	for told+lost < 2*rounds {
		event := next(t, events)
		if event.Kind == Lost {
			lost += event.Lost
		} else {
			told++
		}
	}
	if told+lost != 2*rounds || lost == 0 {
		t.Errorf("%d were told, %d lost", told, lost)
	}
	s.simulate("available 5%")
	demand(t, events, Reached, "available")
}

func TestCancel(t *testing.T) {
	for name, meanwhile := range map[string]func(*server){
		"while it waits":              func(*server) {},
		"while nobody receives":       func(s *server) { s.simulate(scarce); s.simulate(enough) },
		"while the server is away":    func(s *server) { s.end(syscall.SIGKILL) },
		"while the server is stopped": func(s *server) { s.process.Process.Signal(syscall.SIGSTOP) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			events, err := Watch(ctx, "available<10%", At(s.mount))
			if err != nil {
				t.Fatal(err)
			}
			meanwhile(s)
			cancel()
			demandEnd(t, events)
			if s.process != nil {
				s.process.Process.Signal(syscall.SIGCONT)
			}
		})
	}
}

func TestAStoppedServerIsNotWaitedForWithoutEnd(t *testing.T) {
	s := newServer(t)
	s.process.Process.Signal(syscall.SIGSTOP)
	defer s.process.Process.Signal(syscall.SIGCONT)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if events, err := Watch(ctx, "used 80%", At(s.socket())); events != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Watch: %v", err)
	}
	if meters, err := Meters(ctx, At(s.socket())); meters != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Meters: %v", err)
	}
}

func TestMeters(t *testing.T) {
	s := newServer(t)
	meters, err := Meters(context.Background(), At(s.mount))
	if err != nil {
		t.Fatal(err)
	}
	percent := 100 * float64(meters["used"]) / float64(meters["total"])
	if percent < 9.9 || percent > 10.1 || meters["total"]%uint64(os.Getpagesize()) != 0 || len(meters) < 10 {
		t.Errorf("%v", meters)
	}
}

func TestNoServer(t *testing.T) {
	keepsNothing(t)
	place := t.TempDir()
	events, err := Watch(context.Background(), "used 80%", At(place))
	if events != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Watch: %v", err)
	}
	if _, err := Meters(context.Background(), At(place)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Meters: %v", err)
	}
}

func TestTheEnvironmentSaysWhere(t *testing.T) {
	s := newServer(t)
	for _, place := range []string{s.mount, s.mount + "/", s.socket()} {
		t.Setenv("MEMNOTIFYFS", place)
		if _, err := Meters(context.Background()); err != nil {
			t.Errorf("%s: %v", place, err)
		}
		if _, err := Meters(context.Background(), At(t.TempDir())); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, though it is told: %v", place, err)
		}
	}
}
