// SPDX-License-Identifier: LGPL-2.1-or-later

// The life of a Go program: heap MIB. It fills a map with slices, keeps one in fifty, has the collector run, and says
// "ready". It ends with its standard input.
package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
)

const (
	meanBytes = 700
	keptOneIn = 50
)

func main() {
	mib, _ := strconv.Atoi(os.Args[1])
	kept := map[int][]byte{}
	for i := 0; i < mib<<20/(meanBytes+100); i++ {
		kept[i] = make([]byte, 1+i*7919%(2*meanBytes))
	}
	for i := range kept {
		if i%keptOneIn != 0 {
			delete(kept, i)
		}
	}
	runtime.GC()

	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(kept)
}
