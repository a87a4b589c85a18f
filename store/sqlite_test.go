package store_test

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse/store"
	"gatehouse/store/storetest"
)

func TestFolderThatCannotBeUsedIsOneLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	taken := t.TempDir()
	if err := os.Mkdir(filepath.Join(taken, "gatehouse.db"), 0o700); err != nil {
		t.Fatal(err)
	}
	foreign := t.TempDir()
	if err := os.WriteFile(filepath.Join(foreign, "gatehouse.db"), []byte("this is no database, whatever its name says, and it goes on for long enough"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, folder, want string }{
		{"no folder", "", "cannot be used"},
		{"a file", file, "the data folder " + file + " cannot be used: not a directory"},
		{"below a file", filepath.Join(file, "data"), "cannot be used: not a directory"},
		{"the database is a folder", taken, "cannot be used: is a directory"},
		{"the database is something else", foreign, "file is not a database"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := onSQLite(t)
			c.Folder = tt.folder
			_, err := store.Open(t.Context(), c)
			wantLine(t, err, tt.want)
		})
	}
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	c := onSQLite(t)
	c.Folder = filepath.Join(c.Folder, "new", "data?#%20")
	s := open(t, c)
	if err := s.AddUser(t.Context(), storetest.User("ada"), ""); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(c.Folder)
	if err != nil || len(files) < 2 {
		t.Fatalf("got %v (%v), want the database and its log", files, err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %o, want 600", f.Name(), info.Mode().Perm())
		}
	}
	if info, err := os.Stat(c.Folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: got %v (%v), want mode 700", info.Mode(), err)
	}
}
