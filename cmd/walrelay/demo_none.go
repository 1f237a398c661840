//go:build nodemo

package main

import "github.com/spf13/cobra"

// demoCommand is nil: this binary was built without the demo.
func (a *app) demoCommand() *cobra.Command { return nil }
