package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Credentials is the file that keeps what logins left: readable by its owner
// alone, and used only if it is.
type Credentials struct {
	Path string
}

// Kept is what the file holds.
type Kept struct {
	Current string           `json:"current"` // the server that was logged in to last
	Logins  map[string]Login `json:"logins"`  // by the server's address
}

// A Login is what one left.
type Login struct {
	Token string `json:"auth_token"`
	Email string `json:"user_email"`
	Given bool   `json:"given,omitempty"` // it was somebody's already, and no login made it
}

func (k Kept) at(url string) (Login, bool) {
	l, there := k.Logins[url]
	return l, there
}

// mostCredentials bounds what is read.
const mostCredentials = 1 << 20

// Load reads the file; without one nobody is logged in anywhere.
func (c *Credentials) Load() (Kept, error) {
	kept := Kept{Logins: map[string]Login{}}
	info, err := os.Stat(c.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return kept, nil
	}
	if err != nil {
		return kept, fmt.Errorf("the credentials file cannot be read: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return kept, withHint(fmt.Errorf("the credentials file %s can be read by others (mode %04o), so that it is not used", c.Path, info.Mode().Perm()), "chmod 600 "+c.Path+"; whoever may have read it has your token: gatehouse user tokens-expire")
	}
	if info.Size() > mostCredentials {
		return kept, fmt.Errorf("the credentials file %s is not one: it has %d bytes", c.Path, info.Size())
	}
	text, err := os.ReadFile(c.Path)
	if err != nil {
		return kept, fmt.Errorf("the credentials file cannot be read: %w", err)
	}
	if err := json.Unmarshal(text, &kept); err != nil {
		return kept, withHint(fmt.Errorf("the credentials file %s is damaged", c.Path), "remove it, and log in again")
	}
	if kept.Logins == nil {
		kept.Logins = map[string]Login{}
	}
	return kept, nil
}

// Save writes the file whole or not at all.
func (c *Credentials) Save(k Kept) error {
	folder := filepath.Dir(c.Path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("the credentials file cannot be written: %w", err)
	}
	text, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return fmt.Errorf("write credentials: %w", err)
	}
	f, err := os.CreateTemp(folder, ".credentials-") // made for its owner alone
	if err != nil {
		return fmt.Errorf("the credentials file cannot be written: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(text, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("the credentials file cannot be written: %w", err)
	}
	if err := os.Rename(f.Name(), c.Path); err != nil {
		return fmt.Errorf("the credentials file cannot be written: %w", err)
	}
	return nil
}

// Keep notes a login, which becomes the one that commands use.
func (c *Credentials) Keep(url string, l Login) error {
	kept, err := c.Load()
	if err != nil {
		return err
	}
	kept.Current, kept.Logins[url] = url, l
	return c.Save(kept)
}

// Forget drops the login at a server.
func (c *Credentials) Forget(url string) error {
	kept, err := c.Load()
	if err != nil {
		return err
	}
	delete(kept.Logins, url)
	if kept.Current == url {
		kept.Current = ""
		for other := range kept.Logins {
			if kept.Current == "" || other < kept.Current {
				kept.Current = other
			}
		}
	}
	if len(kept.Logins) > 0 {
		return c.Save(kept)
	}
	if err := os.Remove(c.Path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the credentials file cannot be removed: %w", err)
	}
	return nil
}
