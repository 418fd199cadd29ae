// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Pages of memory, of this machine's size.
type Pages uint64

// Bytes are so many pages' bytes.
func (p Pages) Bytes() uint64 {
	return uint64(p) * uint64(os.Getpagesize())
}

// A Kind of event.
type Kind int

const (
	Reached     Kind = iota + 1 // a limit
	Left                        // a limit
	Changed                     // the total: memory or swap was added or removed, or the limit of a control group moved
	Removed                     // the control group whose memory is shown
	Returned                    // the same, made anew
	Lost                        // events, because they were not received in time
	Reconnected                 // the server had ended, and is back
	Failed                      // the server that is back does not take the limits; nothing comes after this
	LastCall                    // the control group that this process is in is about to be killed
)

var kinds = [...]string{
	Reached: "reached", Left: "left", Changed: "changed", Removed: "removed", Returned: "returned", Lost: "lost",
	Reconnected: "reconnected", Failed: "failed", LastCall: "last_call",
}

// String is the word that the server uses.
func (k Kind) String() string {
	if k > 0 && int(k) < len(kinds) {
		return kinds[k]
	}
	return "Kind(" + strconv.Itoa(int(k)) + ")"
}

// An Event is something that has happened. What does not belong to its kind is zero.
type Event struct {
	Kind  Kind
	Time  time.Time        // when it was seen
	Meter string           // Reached, Left, Changed
	Value Pages            // the same
	Limit Pages            // Reached, Left
	Old   Pages            // Changed: the total before
	Lost  uint64           // Lost: how many events
	State map[string]Meter // Reconnected: all meters by name, as they are now; none while the group is removed
	Err   error            // Failed: a *LimitError
}

// String is for people and logs.
func (e Event) String() string {
	switch e.Kind {
	case Reached, Left:
		return fmt.Sprintf("%s %s %d %d", e.Meter, e.Kind, e.Value, e.Limit)
	case Changed:
		return fmt.Sprintf("%s %s %d %d", e.Meter, e.Kind, e.Value, e.Old)
	case Lost:
		return fmt.Sprintf("%s %d", e.Kind, e.Lost)
	case Failed:
		return fmt.Sprintf("%s: %v", e.Kind, e.Err)
	}
	return e.Kind.String()
}

// A Meter as it is now.
type Meter struct {
	Value   Pages
	Limit   Pages // 0: it is not waited for
	Reached bool
}

func parsePages(text string) (Pages, error) {
	number, err := strconv.ParseUint(text, 10, 64)
	return Pages(number), err
}

// "3887.453731", by CLOCK_MONOTONIC.
func parseTime(text string) (time.Time, error) {
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(time.Duration(seconds*float64(time.Second)) - monotonic()), nil
}

// How many numbers come after the word.
var numbers = map[Kind]int{Reached: 2, Left: 2, Changed: 2, Removed: 0, Returned: 0, LastCall: 0, Lost: 1}

func findKind(word string) Kind {
	for kind := range numbers {
		if kind.String() == word {
			return kind
		}
	}
	return 0
}

// "3887.453731 - available reached 123421 617103". The kind is 0 for one that is newer than this package.
func parseEvent(line string) (Event, error) {
	words := strings.Fields(line)
	if len(words) < 4 {
		return Event{}, protocolError(line)
	}
	kind := findKind(words[3])
	if kind == 0 {
		return Event{}, nil
	}
	at, err := parseTime(words[0])
	if err != nil || len(words) < 4+numbers[kind] {
		return Event{}, protocolError(line)
	}
	var found [2]Pages
	for i := 0; i < numbers[kind]; i++ {
		if found[i], err = parsePages(words[4+i]); err != nil {
			return Event{}, protocolError(line)
		}
	}
	event := Event{Kind: kind, Time: at}
	switch kind {
	case Reached, Left:
		event.Meter, event.Value, event.Limit = words[2], found[0], found[1]
	case Changed:
		event.Meter, event.Value, event.Old = words[2], found[0], found[1]
	case Lost:
		event.Lost = uint64(found[0])
	}
	return event, nil
}

// "used 127731", "used 127731 limit 617103" or "used 717731 reached 617103".
func parseMeter(line string) (string, Meter, error) {
	words := strings.Fields(line)
	if len(words) != 2 && (len(words) < 4 || words[2] != "limit" && words[2] != "reached") {
		return "", Meter{}, protocolError(line)
	}
	var meter Meter
	var err error
	meter.Value, err = parsePages(words[1])
	if err == nil && len(words) > 2 {
		meter.Limit, err = parsePages(words[3])
		meter.Reached = words[2] == "reached"
	}
	if err != nil {
		return "", Meter{}, protocolError(line)
	}
	return words[0], meter, nil
}
