package policyfile

import (
	"errors"

	"github.com/goccy/go-yaml/ast"
)

// Tree reads one document of YAML, within the bounds in which [Parse] reads, for
// those who read other files than a cors.yaml: it returns map[string]any, []any,
// string, bool, int64, float64 or nil. Its errors are those of Parse.
func Tree(data []byte) (any, error) {
	r := &reader{index: -1}
	root := r.document(data)
	var tree any
	if root != nil {
		tree = r.tree(root)
	}
	var errs []error
	for _, fault := range r.faults {
		errs = append(errs, fault)
	}
	return tree, errors.Join(errs...)
}

func (r *reader) tree(n ast.Node) any {
	switch n := r.deref(n).(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		entries, _ := r.mapping(n, "write keys and values")
		m := make(map[string]any, len(entries))
		for _, e := range entries {
			m[e.key] = r.tree(e.value)
		}
		return m
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, v := range n.Values {
			list = append(list, r.tree(v))
		}
		return list
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		switch v := n.Value.(type) {
		case int64:
			return v
		case uint64:
			if int64(v) >= 0 {
				return int64(v)
			}
		}
		return n.Token.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	}
	return nil
}
