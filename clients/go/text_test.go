// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

func TestLines(t *testing.T) {
	for line, expected := range map[string]string{
		"3887.453731 - available reached 123421 617103": "available reached 123421 617103",
		"3887.453731 - used left 1 2":                   "used left 1 2",
		"3887.453731 - total changed 5 6":               "total changed 5 6",
		"3887.453731 - - removed":                       "removed",
		"3887.453731 - - returned":                      "returned",
		"3887.453731 - - last_call":                     "last_call",
		"3887.453731 - - lost 17":                       "lost 17",
		"3887.453731 - - of a later version 5":          "Kind(0)",
	} {
		if event, err := parseEvent(line); err != nil || event.String() != expected {
			t.Errorf("%q: %v, %v", line, event, err)
		}
	}
	for _, line := range []string{
		"", "3887.453731", "3887.453731 - used left 1", "x - used left 1 2", "1 - used left 1 -2", "1 - - lost x",
		"1 - used reached 99999999999999999999 2",
	} {
		if event, err := parseEvent(line); !errors.Is(err, syscall.EPROTO) {
			t.Errorf("%q: %v, %v", line, event, err)
		}
	}
}

func TestMeterLines(t *testing.T) {
	for line, expected := range map[string]Meter{
		"used 5":           {Value: 5},
		"used 5 limit 6":   {Value: 5, Limit: 6},
		"used 7 reached 6": {Value: 7, Limit: 6, Reached: true},
	} {
		if name, meter, err := parseMeter(line); err != nil || name != "used" || meter != expected {
			t.Errorf("%q: %s %v, %v", line, name, meter, err)
		}
	}
	for _, line := range []string{"", "used", "used x", "used 5 limit", "used 5 limit x", "used 5 below 6"} {
		if _, meter, err := parseMeter(line); !errors.Is(err, syscall.EPROTO) {
			t.Errorf("%q: %v, %v", line, meter, err)
		}
	}
}

func TestTimesAreThoseOfTheClock(t *testing.T) {
	now, err := parseTime("0.5")
	if boot := time.Now().Add(500*time.Millisecond - monotonic()); err != nil || boot.Sub(now).Abs() > time.Second {
		t.Errorf("%v, %v", now, boot)
	}
}

func TestRefusals(t *testing.T) {
	for line, expected := range map[string]error{
		"error EDQUOT: too many":         syscall.EDQUOT,
		"error ENEW: of a later kernel":  syscall.EIO,
		"nonsense":                       syscall.EPROTO,
		"error EINVAL: not about limits": syscall.EINVAL,
	} {
		if err := parseRefusal(line, ""); !errors.Is(err, expected) {
			t.Errorf("%q: %v", line, err)
		}
	}
	expected := &LimitError{Limits: "used", Reason: "why", Column: 5}
	if err := parseRefusal("error EINVAL: column 11: why", "used"); !reflect.DeepEqual(err, expected) {
		t.Errorf("%#v", err)
	}
	expected.Column = 0
	if err := parseRefusal("error EINVAL: why", "used"); !reflect.DeepEqual(err, expected) {
		t.Errorf("%#v", err)
	}
}

func TestSockets(t *testing.T) {
	directory := t.TempDir()
	plain := filepath.Join(directory, "plain")
	below := filepath.Join(directory, "mount", "socket")
	os.Mkdir(filepath.Dir(below), 0o755)
	for _, path := range []string{plain, below} {
		listener, err := net.Listen("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
	}
	for place, expected := range map[string]string{
		plain:                plain,
		filepath.Dir(below):  below,
		"/nowhere":           "/nowhere.sock",
		"/nowhere/":          "/nowhere.sock",
		"/nowhere/here.sock": "/nowhere/here.sock",
	} {
		if found := findSockets(place); !reflect.DeepEqual(found, []string{expected}) {
			t.Errorf("%s: %s", place, found)
		}
	}
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/5")
	expected := []string{"/run/memnotify.sock", "/run/user/5/memnotify.sock"}
	if found := findSockets(""); !reflect.DeepEqual(found, expected) {
		t.Errorf("%s", found)
	}
}

func TestForeignRights(t *testing.T) {
	if hasForeignRights() {
		t.Error("a test has no more rights than its user")
	}
	for secure, expected := range map[uint64]bool{0: false, 1: true} {
		if isSecure(vector(6, 4096, 23, secure, 0, 0)) != expected {
			t.Errorf("AT_SECURE %d", secure)
		}
	}
	if isSecure(vector(6, 4096)) || isSecure(nil) {
		t.Error("without AT_SECURE")
	}
}

// vector is words of this machine, which is little-endian wherever this is tested.
func vector(words ...uint64) []byte {
	var text bytes.Buffer
	for _, word := range words {
		if unsafe.Sizeof(uintptr(0)) == 8 {
			binary.Write(&text, binary.LittleEndian, word)
		} else {
			binary.Write(&text, binary.LittleEndian, uint32(word))
		}
	}
	return text.Bytes()
}

func TestKinds(t *testing.T) {
	if Failed.String() != "failed" || Kind(99).String() != "Kind(99)" {
		t.Error(Failed, Kind(99))
	}
	failed := Event{Kind: Failed, Err: &LimitError{Limits: "used x", Reason: "why", Column: 6}}
	if !strings.HasSuffix(failed.String(), `why, at column 6: "used x"`) {
		t.Error(failed)
	}
}
