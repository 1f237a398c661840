package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// keptRows are the rows of earlier runs; none without a file.
func keptRows(path string) ([]row, error) {
	if path == "" {
		return nil, nil
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var rows []row
	if err == nil {
		err = json.Unmarshal(content, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("-keep: %w", err)
	}
	return rows, nil
}

// keepRows writes them anew, after each, so that a run that is ended loses none.
func keepRows(path string, rows []row) error {
	if path == "" {
		return nil
	}
	content, err := json.MarshalIndent(rows, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(content, '\n'), 0o644)
}
