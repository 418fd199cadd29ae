// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
)

// FollowLimit lowers the memory limit of the Go runtime while memory is short, and gives back what it does not use.
//
// When one of the limits is reached it calls debug.FreeOSMemory, and then sets debug.SetMemoryLimit to the bytes that
// the runtime still holds and those that are available: so far this program could grow before there are none. The
// runtime thus collects more often the nearer it comes, and never for the sole reason that what lives is above the
// limit. One that is lower already, by GOMEMLIMIT for one, stays. When no limit is reached any more, and when
// FollowLimit returns, the limit is what it was before, unless somebody else has set it meanwhile.
//
// FreeOSMemory is a whole collection; what it frees comes back at its price. Let limits be ones that are seldom reached.
//
// It returns when ctx is done, with its error; else why it cannot watch, as Watch does, or the error of an event of the
// kind Failed. It is for a goroutine of its own, one in a program.
func FollowLimit(ctx context.Context, limits string, options ...Option) error {
	events, err := Watch(ctx, limits, options...)
	if err != nil {
		return err
	}
	f := follower{reached: map[string]bool{}}
	defer f.restore()
	for event := range events {
		switch event.Kind {
		case Reached:
			f.reached[event.Meter] = true
			f.lower(ctx, options)
		case Left:
			delete(f.reached, event.Meter)
		case Reconnected:
			if f.reconnect(event.State) {
				f.lower(ctx, options)
			}
		case Failed:
			err = event.Err
		}
		if len(f.reached) == 0 {
			f.restore()
		}
	}
	return orDone(ctx, err)
}

// A follower is what FollowLimit has changed.
type follower struct {
	reached  map[string]bool // the meters whose limits are
	isLower  bool
	own, old int64 // bytes; the limit that it has set, and the one before
}

// reconnect is whether a limit is reached that was not before.
func (f *follower) reconnect(state map[string]Meter) bool {
	before := f.reached
	f.reached = map[string]bool{}
	isNew := false
	for name, meter := range state {
		if meter.Reached {
			f.reached[name] = true
			isNew = isNew || !before[name]
		}
	}
	return isNew
}

// lower does without a new limit where the server does not tell what is available.
func (f *follower) lower(ctx context.Context, options []Option) {
	debug.FreeOSMemory()
	meters, err := Meters(ctx, options...)
	if err != nil {
		return
	}
	f.restore()
	limit := int64(heldBytes() + meters["available"])
	if old := debug.SetMemoryLimit(-1); limit < old {
		f.isLower, f.own, f.old = true, limit, old
		debug.SetMemoryLimit(limit)
	}
}

func (f *follower) restore() {
	if f.isLower && debug.SetMemoryLimit(-1) == f.own {
		debug.SetMemoryLimit(f.old)
	}
	f.isLower = false
}

// heldBytes is what debug.SetMemoryLimit limits.
func heldBytes() uint64 {
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	metrics.Read(samples)
	return samples[0].Value.Uint64() - samples[1].Value.Uint64()
}
