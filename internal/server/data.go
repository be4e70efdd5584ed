package server

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/parley-rtc/parley/internal/auth"
)

// Files of the data directory.
const (
	keyFile         = "master.key"
	adminFile       = "admin.token"
	firstRoomFile   = "first-room"
	certificatesDir = "certificates"
)

// openData makes the data directory if it is not there, with its folder for certificates. An existing directory keeps
// its mode, for it may be somebody's shared one; what is put into it can be read by its owner only.
func openData(dir string, log *slog.Logger) error {
	if err := os.MkdirAll(filepath.Join(dir, certificatesDir), 0o700); err != nil {
		return fmt.Errorf("server: make the data directory: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("server: look at the data directory: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		log.Warn("others may look into the data directory; its mode should be 0700", "directory", dir, "mode", info.Mode().Perm())
	}
	return nil
}

// ReadKeys reads the keys of an existing data directory. The error says so when no server has used it yet.
func ReadKeys(dir string) (*auth.Keys, error) {
	path := filepath.Join(dir, keyFile)
	master, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("server: %s is not there: no server has used this data directory yet", path)
	}
	if err != nil {
		return nil, fmt.Errorf("server: read the master key: %w", err)
	}
	if len(master) != auth.MasterSize {
		return nil, fmt.Errorf("server: %s has %d bytes, not %d: it is damaged; without it old links are void, so restore it or remove it", path, len(master), auth.MasterSize)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return nil, fmt.Errorf("server: others may read %s, and that cannot be changed: %w", path, err)
		}
	}
	return auth.NewKeys(master), nil
}

// openKeys reads the keys, and makes the master key at the first start.
func openKeys(dir string, random io.Reader) (*auth.Keys, error) {
	path := filepath.Join(dir, keyFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		master := make([]byte, auth.MasterSize)
		if _, err := io.ReadFull(random, master); err != nil {
			return nil, fmt.Errorf("server: make the master key: %w", err)
		}
		if err := create(path, master); err != nil {
			return nil, fmt.Errorf("server: keep the master key: %w", err)
		}
	}
	return ReadKeys(dir)
}

// openAdmin reads the admin token, and makes it at the first start. Whoever has it may read the record of every call.
func openAdmin(dir string, random io.Reader) (auth.Secret, error) {
	path := filepath.Join(dir, adminFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		b := make([]byte, auth.AdminSize)
		if _, err := io.ReadFull(random, b); err != nil {
			return auth.Secret{}, fmt.Errorf("server: make the admin token: %w", err)
		}
		if err := create(path, []byte(base64.RawURLEncoding.EncodeToString(b)+"\n")); err != nil {
			return auth.Secret{}, fmt.Errorf("server: keep the admin token: %w", err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return auth.Secret{}, fmt.Errorf("server: read the admin token: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < auth.AdminSize {
		return auth.Secret{}, fmt.Errorf("server: %s holds %d characters, at least %d are needed; remove it, and a new one is made", path, len(token), auth.AdminSize)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		if err := os.Chmod(path, 0o600); err != nil {
			return auth.Secret{}, fmt.Errorf("server: others may read %s, and that cannot be changed: %w", path, err)
		}
	}
	return auth.NewSecret(token), nil
}

// create puts a whole file of mode 0600 at path, unless there is one already: two servers that start at once on one
// directory use the same file.
func create(path string, b []byte) error {
	temporary, err := writeBeside(path, b)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	if err := os.Link(temporary, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// replace puts a whole file of mode 0600 at path.
func replace(path string, b []byte) error {
	temporary, err := writeBeside(path, b)
	if err != nil {
		return err
	}
	defer os.Remove(temporary)
	return os.Rename(temporary, path)
}

// writeBeside writes b to the disk in a file next to path.
func writeBeside(path string, b []byte) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
