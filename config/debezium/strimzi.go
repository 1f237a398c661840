package debezium

import (
	"regexp"

	"go.yaml.in/yaml/v3"
)

var strimziKind = regexp.MustCompile(`(?m)^kind:[ \t]*["']?KafkaConnector\b`)

// isStrimzi recognises the Kubernetes resource of a Strimzi connector.
func isStrimzi(data []byte) bool { return strimziKind.Match(data) }

// parseStrimzi reads spec.config of a KafkaConnector.
func parseStrimzi(data []byte) ([]entry, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return nil, refuse(0, "is no valid YAML")
	}
	root := doc.Content[0]
	spec := yamlMember(root, "spec")
	config := yamlMember(spec, "config")
	if config == nil || config.Kind != yaml.MappingNode {
		return nil, refuse(root.Line, "has no spec.config: want one KafkaConnector with the connector's options")
	}
	var entries []entry
	add := func(name, as string, n *yaml.Node) {
		if n != nil && n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
			entries = append(entries, entry{name: name, as: as, value: n.Value, line: n.Line})
		}
	}
	add("name", "metadata.name", yamlMember(yamlMember(root, "metadata"), "name"))
	add("connector.class", "spec.class", yamlMember(spec, "class"))
	add("tasks.max", "spec.tasksMax", yamlMember(spec, "tasksMax"))
	for i := 0; i+1 < len(config.Content); i += 2 {
		key, value := config.Content[i], config.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind != yaml.ScalarNode {
			return nil, refuse(key.Line, "%s: want text, a number or true or false, got a list or a mapping", key.Value)
		}
		add(key.Value, key.Value, value)
	}
	return entries, nil
}

// yamlMember returns a mapping's value, nil when there is none.
func yamlMember(n *yaml.Node, name string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}
