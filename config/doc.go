// Package config reads walrelay's configuration: one typed value from a YAML
// file, the environment and the command line.
//
//	defaults ──▶ walrelay.yaml ──▶ environment ──▶ flags ──▶ checks ──▶ *Config
//	                                                            │
//	                                                            └─▶ *Error: every problem, each with its place
//
// One table (settings.go) holds every setting: its key, default, description,
// limits and flag; the environment twin follows from the key. File parsing,
// flags, help, the `walrelay config` listing and the written reference all come
// from that table, so they cannot disagree.
//
// Load guarantees that a *Config it returns is usable as far as it can be told
// without a network: all values have their type and range, files that are named
// exist and parse, and combinations make sense. All problems are reported at
// once, with file, line and column, environment variable or flag. No problem
// text, no listing and no error ever contains a secret.
//
// Package config is a leaf: it imports no other package of walrelay, and only
// the command (and what composes the relay) imports it.
package config
