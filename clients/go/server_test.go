// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// For a condition; nothing is concluded from how long it took.
const patience = 60 * time.Second

const (
	enough = "used 10% available 80%"
	scarce = "used 90% available 5%"
)

// The program, by $MEMNOTIFYFS, which means another thing to what is tested.
var program = os.Getenv("MEMNOTIFYFS")

func TestMain(m *testing.M) {
	os.Unsetenv("MEMNOTIFYFS")
	os.Exit(m.Run())
}

func waitUntil(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// A server is the real program, which simulates a machine, at a mount point of its own.
type server struct {
	t       *testing.T
	mount   string
	process *exec.Cmd
}

func newServer(t *testing.T) *server {
	t.Helper()
	if program == "" {
		t.Skip("$MEMNOTIFYFS names no program to test with")
	}
	keepsNothing(t)
	s := &server{t: t, mount: filepath.Join(t.TempDir(), "m")}
	if err := os.Mkdir(s.mount, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	s.start()
	return s
}

func (s *server) socket() string {
	return s.mount + ".sock"
}

func (s *server) start() {
	s.t.Helper()
	s.startAt(s.socket())
	s.simulate(enough)
}

func (s *server) startAt(socket string) {
	s.t.Helper()
	s.process = exec.Command(program, "--simulate", "-f", "--socket="+socket, "-o", "update_space=4", s.mount)
	messages, err := os.Create(s.mount + ".messages")
	if err != nil {
		s.t.Fatal(err)
	}
	defer messages.Close()
	s.process.Stderr = messages
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	waitUntil(s.t, "the server", func() bool {
		_, err := os.Stat(s.mount + "/simulate")
		return err == nil
	})
}

func (s *server) simulate(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.mount+"/simulate", []byte(text), 0); err != nil {
		s.t.Fatal(err)
	}
}

// end sends a signal, and waits.
func (s *server) end(number syscall.Signal) {
	s.t.Helper()
	if s.process == nil {
		return
	}
	s.process.Process.Signal(number)
	if err := s.process.Wait(); err != nil && number != syscall.SIGKILL {
		said, _ := os.ReadFile(s.mount + ".messages")
		s.t.Errorf("the server has ended with %v: %s", err, said)
	}
	s.process = nil
}

func (s *server) close() {
	s.end(syscall.SIGTERM)
	syscall.Unmount(s.mount, syscall.MNT_DETACH) // that of one that was killed
	syscall.Unlink(s.socket())
}

// keepsNothing demands that a test gives back all descriptors and goroutines.
func keepsNothing(t *testing.T) {
	fds, goroutines := openFiles(t), runtime.NumGoroutine()
	t.Cleanup(func() {
		waitUntil(t, "the end of goroutines", func() bool { return runtime.NumGoroutine() <= goroutines })
		waitUntil(t, fmt.Sprintf("%q to be closed but for %q", openFiles(t), fds), func() bool {
			return len(openFiles(t)) <= len(fds)
		})
	})
}

// What it has open, without the runtime's own, which it keeps from its first use on.
func openFiles(t *testing.T) []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, entry := range entries {
		link, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && !strings.HasPrefix(link, "anon_inode:[event") && !strings.HasPrefix(link, "pipe:") {
			found = append(found, link)
		}
	}
	return found
}

// watch ends with the test.
func (s *server) watch(limits string) <-chan Event {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	events, err := Watch(ctx, limits, At(s.mount))
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cancel()
		demandEnd(s.t, events)
	})
	return events
}

func next(t *testing.T, events <-chan Event) Event {
	t.Helper()
	select {
	case event, more := <-events:
		if !more {
			t.Fatal("the channel is closed")
		}
		return event
	case <-time.After(patience):
		t.Fatal("waited in vain for an event")
	}
	panic("unreachable")
}

func demand(t *testing.T, events <-chan Event, kind Kind, meter string) Event {
	t.Helper()
	event := next(t, events)
	if event.Kind != kind || event.Meter != meter {
		t.Fatalf("%v, but it was to be %v %s", event, kind, meter)
	}
	return event
}

// demandEnd takes what there still is.
func demandEnd(t *testing.T, events <-chan Event) {
	t.Helper()
	end := time.After(patience)
	for {
		select {
		case _, more := <-events:
			if !more {
				return
			}
		case <-end:
			t.Fatal("waited in vain for the channel to be closed")
		}
	}
}
