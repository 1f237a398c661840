package harness

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/walrelay/walrelay/demo/postgres"
)

// brokerPlan is where a broker will listen and how it is configured, before it
// is known what runs it.
type brokerPlan struct {
	properties map[string]string
	java       []string
	disk       int64  // KafkaOptions.Disk
	ports      []int  // all that it listens on
	advertised string // what clients are told
	direct     string // past the proxy
	proxy      *Proxy
	origin     string
	node       node

	listeners map[string]string // addresses of KafkaOptions.Listeners
}

// planBroker finds ports and, when asked, puts a proxy before the one that is
// advertised:
//
//	relay ─▶ proxy ─▶ PLAINTEXT listener     harness ─▶ DIRECT listener
func planBroker(options KafkaOptions) (*brokerPlan, error) {
	p := &brokerPlan{java: options.JavaOptions, disk: options.Disk}
	for range 3 + len(options.Listeners) {
		port, err := postgres.FreePort()
		if err != nil {
			return nil, err
		}
		if slices.Contains(p.ports, port) {
			return planBroker(options)
		}
		p.ports = append(p.ports, port)
	}
	client, direct, controller := local(p.ports[0]), local(p.ports[1]), local(p.ports[2])
	p.advertised, p.direct = client, direct
	if options.Proxied {
		var err error
		if p.proxy, err = StartProxy(client); err != nil {
			return nil, err
		}
		p.advertised = p.proxy.Address()
	}
	p.properties = map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"controller.quorum.voters":       "1@" + controller,
		"listeners":                      fmt.Sprintf("PLAINTEXT://%s,DIRECT://%s,CONTROLLER://%s", client, direct, controller),
		"advertised.listeners":           fmt.Sprintf("PLAINTEXT://%s,DIRECT://%s", p.advertised, direct),
		"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,DIRECT:PLAINTEXT,CONTROLLER:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL",
		"inter.broker.listener.name":     "DIRECT",
		"controller.listener.names":      "CONTROLLER",

		"auto.create.topics.enable":                        "false",
		"offsets.topic.replication.factor":                 "1",
		"offsets.topic.num.partitions":                     "1",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"transaction.state.log.num.partitions":             "1",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",
		"group.initial.rebalance.delay.ms":                 "0",
		// The cleaner takes 128 MB of the small heap otherwise.
		"log.cleaner.dedupe.buffer.size": "4194304",
	}
	p.listen(options.Listeners)
	maps.Copy(p.properties, options.Properties)
	return p, nil
}

// listen adds listeners on the ports that are left.
func (p *brokerPlan) listen(protocols map[string]string) {
	p.listeners = make(map[string]string, len(protocols))
	for i, name := range slices.Sorted(maps.Keys(protocols)) {
		p.listeners[name] = local(p.ports[3+i])
		p.properties["listeners"] += "," + name + "://" + p.listeners[name]
		p.properties["advertised.listeners"] += "," + name + "://" + p.listeners[name]
		p.properties["listener.security.protocol.map"] += "," + name + ":" + protocols[name]
	}
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

func (p *brokerPlan) close() error {
	if p.proxy == nil {
		return nil
	}
	return p.proxy.Close()
}

// escape lets a value have backslashes and lines, as PEM does, in Java's format.
var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`)

// file is the content of server.properties.
func (p *brokerPlan) file(dataDir string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(p.properties)) {
		fmt.Fprintf(&text, "%s=%s\n", name, escape.Replace(p.properties[name]))
	}
	fmt.Fprintf(&text, "log.dirs=%s\n", dataDir)
	return text.String()
}
