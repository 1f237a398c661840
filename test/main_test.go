package test_test

import (
	"testing"

	"github.com/walrelay/walrelay/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
