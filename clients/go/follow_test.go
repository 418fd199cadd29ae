// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"runtime/debug"
	"syscall"
	"testing"
)

// More than any test of this package takes, and less than no limit.
const ownLimit = 1 << 40

func memoryLimit() int64 {
	return debug.SetMemoryLimit(-1)
}

// startFollowing has what it returns in a channel.
func (s *server) startFollowing(ctx context.Context, limits string) <-chan error {
	s.t.Helper()
	result := make(chan error, 1)
	go func() { result <- FollowLimit(ctx, limits, At(s.mount)) }()
	return result
}

// follow ends with the test.
func (s *server) follow(limits string) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	result := s.startFollowing(ctx, limits)
	s.t.Cleanup(func() {
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			s.t.Errorf("it has returned %v", err)
		}
	})
}

func (s *server) available() int64 {
	s.t.Helper()
	meters, err := Meters(context.Background(), At(s.mount))
	if err != nil {
		s.t.Fatal(err)
	}
	return int64(meters["available"])
}

func waitLimit(t *testing.T, wanted int64) {
	t.Helper()
	waitUntil(t, "the limit of before", func() bool { return memoryLimit() == wanted })
}

func waitLower(t *testing.T, than int64) {
	t.Helper()
	waitUntil(t, "a lower limit", func() bool { return memoryLimit() < than })
}

// garbage is memory that was used, and is held.
func garbage(bytes int) {
	block := make([]byte, bytes)
	for i := 0; i < bytes; i += os.Getpagesize() {
		block[i] = 1
	}
}

func TestTheMemoryLimitFollowsWhatIsAvailable(t *testing.T) {
	const bytes = 256 << 20
	s := newServer(t)
	s.follow("available<10% used>=85%")
	garbage(bytes)
	held := int64(heldBytes())
	if held < bytes {
		t.Fatalf("only %d bytes are held", held)
	}
	s.simulate(scarce)
	waitLower(t, math.MaxInt64)
	if still := memoryLimit() - s.available(); still <= 0 || still > held-bytes/2 {
		t.Errorf("it was to be what is available and what is held, %d; more by %d", held, still)
	}
	s.simulate(enough)
	waitLimit(t, math.MaxInt64)
}

func TestALimitIsAsBeforeInTheEnd(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(ownLimit))
	s := newServer(t)
	s.simulate(scarce)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	result := s.startFollowing(ctx, "available<10%")
	waitLower(t, ownLimit)
	cancel()
	if err := <-result; !errors.Is(err, context.Canceled) || memoryLimit() != ownLimit {
		t.Errorf("%v, and the limit is %d", err, memoryLimit())
	}
}

func TestALimitOfSomebodyElseStays(t *testing.T) {
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
	s := newServer(t)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	result := s.startFollowing(ctx, "available<10%")
	s.simulate(scarce)
	waitLower(t, math.MaxInt64)
	debug.SetMemoryLimit(ownLimit)
	cancel()
	<-result
	if memoryLimit() != ownLimit {
		t.Errorf("it was set to %d", memoryLimit())
	}
}

func TestALowerLimitStays(t *testing.T) {
	const low = 1 << 20
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(low))
	f := follower{}
	s := newServer(t)
	f.lower(context.Background(), []Option{At(s.mount)})
	if f.isLower || memoryLimit() != low {
		t.Errorf("it was set to %d", memoryLimit())
	}
}

func TestALimitOverARestart(t *testing.T) {
	s := newServer(t)
	s.follow("available<10%")
	s.simulate(scarce)
	waitLower(t, math.MaxInt64)
	s.end(syscall.SIGKILL)
	s.start() // with enough
	waitLimit(t, math.MaxInt64)
	s.simulate(scarce)
	waitLower(t, math.MaxInt64)
}

func TestWhatCannotBeFollowed(t *testing.T) {
	s := newServer(t)
	if err := <-s.startFollowing(context.Background(), "unknown 5"); !errors.As(err, new(*LimitError)) {
		t.Error(err)
	}
	s.end(syscall.SIGTERM)
	if err := <-s.startFollowing(context.Background(), "available<10%"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
