package store

import (
	"context"
	"fmt"
	"os"
	"time"
)

// lockWait is how long a server that starts waits for the one before it to let go of the directory.
const lockWait = 3 * time.Second

// lockFile takes the lock that keeps two processes from one directory; the system frees it when the process dies,
// however it dies.
func lockFile(ctx context.Context, path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("store: open the lock: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !tryLock(f) {
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("store: another process uses %s; only one server can have a data directory", path)
		case <-tick.C:
		}
	}
	return f, nil
}
