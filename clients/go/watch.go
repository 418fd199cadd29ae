// SPDX-License-Identifier: LGPL-2.1-or-later

// Package memnotifyfs waits for limits on memory, and reads its meters, by the socket of a memnotifyfs server:
// memnotifyfs-socket(7).
//
// Limits are written as in memnotifyfs(5): "used 80% available<512M".
//
// The server is found by the option At, else by $MEMNOTIFYFS, each a socket or a mount point; else it is at
// /run/memnotify.sock, else at $XDG_RUNTIME_DIR/memnotify.sock.
package memnotifyfs

import (
	"context"
	"errors"
	"sort"
	"syscall"
	"time"
)

// How long to wait before the next try, while there is no server.
const (
	pauseMin = 100 * time.Millisecond
	pauseMax = 2 * time.Second
)

// An Option of Watch or Meters.
type Option func(*settings)

type settings struct {
	place string
}

// At says where the server is: a socket, or a mount point. "" is as without it.
func At(place string) Option {
	return func(s *settings) { s.place = place }
}

// Watch waits for limits until ctx is done, and then closes the channel and the connection.
//
// A limit that is reached already is the first event. When the server ends, its return is awaited, and is one event of
// the kind Reconnected. Should it then not take the limits any more, an event of the kind Failed is the last.
//
// Only one event is kept for the receiver; the others wait in the socket. What that has no room for is lost, the oldest
// first, and counted by the server: an event of the kind Lost tells.
//
// Limits that are not understood are a *LimitError. With another error there is no server, or it has no room.
func Watch(ctx context.Context, limits string, options ...Option) (<-chan Event, error) {
	requests, err := watchRequests(limits)
	if err != nil {
		return nil, err
	}
	w := &watcher{limits: limits, requests: requests, sockets: socketsFor(options), events: make(chan Event)}
	s, err := w.open(ctx)
	for errors.Is(err, syscall.EAGAIN) && wait(ctx, pauseMin) { // it has no time yet
		s, err = w.open(ctx)
	}
	if err != nil {
		return nil, err
	}
	go w.run(ctx, s)
	return w.events, nil
}

// Meters reads all meters, in bytes.
func Meters(ctx context.Context, options ...Option) (map[string]uint64, error) {
	s, err := connect(ctx, socketsFor(options))
	if err != nil {
		return nil, err
	}
	defer s.close()
	state, err := s.ask([]byte(readRequest), "")
	if err != nil {
		return nil, orDone(ctx, err)
	}
	meters := make(map[string]uint64, len(state))
	for name, meter := range state {
		meters[name] = meter.Value.Bytes()
	}
	return meters, nil
}

func socketsFor(options []Option) []string {
	var s settings
	for _, set := range options {
		set(&s)
	}
	return findSockets(s.place)
}

// orDone is err, or what has ended ctx and thus is its cause.
func orDone(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// wait is false if ctx is done earlier.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A watcher is what outlives a connection.
type watcher struct {
	limits   string
	requests []byte
	sockets  []string
	events   chan Event
	state    map[string]Meter // when it was last connected
}

func (w *watcher) open(ctx context.Context) (*session, error) {
	s, err := connect(ctx, w.sockets)
	if err != nil {
		return nil, err
	}
	state, err := s.ask(w.requests, w.limits)
	if err != nil {
		s.close()
		return nil, orDone(ctx, err)
	}
	w.sockets, w.state = []string{s.path}, state // it comes back where it was
	return s, nil
}

// reopen tries until there is a server. An error is about the limits, or ctx is done.
func (w *watcher) reopen(ctx context.Context) (*session, error) {
	var refused *LimitError
	for pause := pauseMin; wait(ctx, pause); pause *= 2 {
		s, err := w.open(ctx)
		if err == nil || errors.As(err, &refused) {
			return s, err
		}
		if pause > pauseMax/2 {
			pause = pauseMax / 2
		}
	}
	return nil, ctx.Err()
}

func (w *watcher) run(ctx context.Context, s *session) {
	defer close(w.events)
	w.tellReached(ctx)
	for {
		w.follow(ctx, s)
		s.close()
		var err error
		s, err = w.reopen(ctx)
		if ctx.Err() != nil {
			if s != nil {
				s.close()
			}
			return
		}
		if err != nil {
			w.tell(ctx, Event{Kind: Failed, Time: time.Now(), Err: err})
			return
		}
		w.tell(ctx, Event{Kind: Reconnected, Time: time.Now(), State: w.state})
	}
}

// tell waits until the event is received, or ctx is done: then it is false.
func (w *watcher) tell(ctx context.Context, event Event) bool {
	select {
	case w.events <- event:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *watcher) tellReached(ctx context.Context) {
	names := make([]string, 0, len(w.state))
	for name, meter := range w.state {
		if meter.Reached {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		meter := w.state[name]
		w.tell(ctx, Event{Kind: Reached, Time: time.Now(), Meter: name, Value: meter.Value, Limit: meter.Limit})
	}
}

// follow tells events until the connection ends, or ctx is done.
func (w *watcher) follow(ctx context.Context, s *session) {
	for {
		line, err := s.readLine()
		if err != nil {
			return
		}
		event, err := parseEvent(line)
		if err != nil {
			return
		}
		if event.Kind != 0 && !w.tell(ctx, event) {
			return
		}
	}
}
