package harness

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	dockerAnswerTimeout = 5 * time.Second
	dockerPullTimeout   = 3 * time.Minute
)

// docker is the answer for this test program, asked for once.
var docker struct {
	once  sync.Once
	image string
	err   error
}

// haveDocker returns the image when an engine runs that has it or can pull it.
func haveDocker(ctx context.Context) (image string, err error) {
	d := &docker
	d.once.Do(func() { d.image, d.err = findDocker(ctx) })
	return d.image, d.err
}

func findDocker(ctx context.Context) (string, error) {
	ask, cancel := context.WithTimeout(ctx, dockerAnswerTimeout)
	defer cancel()
	if _, err := runDocker(ask, "version", "--format", "{{.Server.Version}}"); err != nil {
		return "", fmt.Errorf("no running Docker engine: %w", err)
	}
	if _, err := runDocker(ask, "image", "inspect", kafkaImage); err == nil {
		return kafkaImage, nil
	}
	pull, cancel := context.WithTimeout(ctx, dockerPullTimeout)
	defer cancel()
	if _, err := runDocker(pull, "pull", "--quiet", kafkaImage); err != nil {
		return "", fmt.Errorf("the Docker engine cannot pull the image: %w", err)
	}
	return kafkaImage, nil
}

func runDocker(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "docker", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		first, _, _ := strings.Cut(text, "\n")
		return "", errors.Join(fmt.Errorf("docker %s: %w: %s", args[0], err, first), context.Cause(ctx))
	}
	return text, nil
}

// dockerNode is a container; stopping keeps its data, removing does not.
type dockerNode struct {
	name    string
	args    []string // of docker run
	created bool
}

func newDockerNode(p *brokerPlan, image string) *dockerNode {
	n := &dockerNode{name: "walrelay-test-" + uniqueName()}
	// The label finds containers that a killed test program has left behind.
	n.args = []string{"run", "--detach", "--name", n.name, "--label", "walrelay.test=1", "--env", "KAFKA_HEAP_OPTS=-Xmx512m"}
	for _, port := range p.ports {
		n.args = append(n.args, "--publish", local(port)+":"+strconv.Itoa(port))
	}
	properties := maps.Clone(p.properties)
	// Inside, the broker listens where the published ports lead to.
	properties["listeners"] = strings.ReplaceAll(properties["listeners"], "127.0.0.1", "0.0.0.0")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		n.args = append(n.args, "--env", dockerVariable(name)+"="+escape.Replace(properties[name]))
	}
	n.args = append(n.args, image)
	return n
}

// dockerVariable is how the image wants a property: "_" for ".", "__" for "_",
// "___" for "-".
func dockerVariable(property string) string {
	return "KAFKA_" + strings.ToUpper(strings.NewReplacer(".", "_", "_", "__", "-", "___").Replace(property))
}

func (n *dockerNode) start(ctx context.Context) error {
	args := []string{"start", n.name}
	if !n.created {
		args = n.args
	}
	_, err := runDocker(ctx, args...)
	if err == nil {
		n.created = true
	}
	return err
}

func (n *dockerNode) exited() <-chan struct{} { return nil }

func (n *dockerNode) do(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return runDocker(ctx, args...)
}

func (n *dockerNode) stop(kill bool) error {
	if kill {
		_, err := n.do("kill", n.name)
		return err
	}
	_, err := n.do("stop", n.name)
	return err
}

func (n *dockerNode) freeze(frozen bool) error {
	verb := "unpause"
	if frozen {
		verb = "pause"
	}
	_, err := n.do(verb, n.name)
	return err
}

func (n *dockerNode) remove() error {
	_, err := n.do("rm", "--force", "--volumes", n.name)
	return err
}

func (n *dockerNode) report() string {
	out, err := n.do("logs", "--tail", "20", n.name)
	if err != nil {
		return err.Error()
	}
	return out
}
