// SPDX-License-Identifier: LGPL-2.1-or-later

package memnotifyfs_test

import (
	"context"
	"log"
	"runtime/debug"

	"memnotifyfs"
)

func ExampleWatch() {
	events, err := memnotifyfs.Watch(context.Background(), "available<10%")
	if err != nil {
		log.Fatal(err)
	}
	for event := range events {
		log.Print(event)
		if event.Kind == memnotifyfs.Reached {
			debug.FreeOSMemory()
		}
	}
}

func ExampleFollowLimit() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // after which the limit is as before

	go memnotifyfs.FollowLimit(ctx, "available<10%")
}
