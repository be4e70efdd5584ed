//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"golang.org/x/sys/unix"
)

// openTAP makes a TAP device in a named network namespace (see ip-netns(8)). It is gone when the file is closed.
func openTAP(namespace, device string) (*os.File, error) {
	type result struct {
		file *os.File
		err  error
	}
	done := make(chan result)
	go func() {
		// This thread enters the namespace and is thrown away with the goroutine: it is never unlocked.
		runtime.LockOSThread()
		file, err := enterAndOpen(namespace, device)
		done <- result{file, err}
	}()
	r := <-done
	return r.file, r.err
}

func enterAndOpen(namespace, device string) (*os.File, error) {
	ns, err := os.Open(filepath.Join("/run/netns", namespace))
	if err != nil {
		return nil, err
	}
	err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET)
	if err := errors.Join(err, ns.Close()); err != nil {
		return nil, fmt.Errorf("enter %s: %w", namespace, err)
	}
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(device)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make %s in %s: %w", device, namespace, err), unix.Close(fd))
	}
	// Only now: a descriptor without a device cannot be waited for, and the runtime would not ask again.
	return os.NewFile(uintptr(fd), namespace+"/"+device), nil
}
