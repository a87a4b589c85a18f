package samltest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// Files gives the cases as files: their paths, with slashes, and contents.
func Files() (map[string]string, error) {
	files := map[string]string{}
	for kind, cases := range map[string][]Case{"good": Good(), "bad": Bad()} {
		for _, c := range cases {
			at := kind + "/" + c.Name + "/"
			settings, err := json.MarshalIndent(c, "", "  ")
			if err != nil {
				return nil, err
			}
			files[at+"case.json"] = string(settings) + "\n"
			files[at+"idp.pem"] = strings.Join(c.Pems, "")
			if c.Base64 {
				files[at+"response.b64"] = c.Response
				continue
			}
			files[at+"response.xml"] = c.Response
		}
	}
	return files, nil
}

// Write replaces the cases in a folder.
func Write(folder string) error {
	files, err := Files()
	if err != nil {
		return err
	}
	for _, kind := range []string{"good", "bad"} {
		if err := os.RemoveAll(filepath.Join(folder, kind)); err != nil {
			return err
		}
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// Read reads a case back from its folder.
func Read(folder string) (Case, error) {
	c := Case{Name: filepath.Base(folder)}
	settings, err := os.ReadFile(filepath.Join(folder, "case.json"))
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(settings, &c); err != nil {
		return c, err
	}
	pems, err := os.ReadFile(filepath.Join(folder, "idp.pem"))
	if err != nil {
		return c, err
	}
	c.Pems = []string{string(pems)}
	text, err := os.ReadFile(filepath.Join(folder, "response.xml"))
	if os.IsNotExist(err) {
		c.Base64 = true
		text, err = os.ReadFile(filepath.Join(folder, "response.b64"))
	}
	c.Response = string(text)
	return c, err
}
