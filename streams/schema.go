package streams

import (
	"encoding/json"
	"reflect"
	"strings"
)

// JSONSchema is the JSON Schema (draft 2020-12) of a pipeline file, for editors: generated from the Go types, so that it
// cannot differ from what Load accepts. deploy/pipelines/schema.json is its committed copy.
//
// It checks shapes and words. What depends on the rest of the file (references, kinds, bounds) only Load can check.
func JSONSchema() []byte {
	root := schemaOf(reflect.TypeFor[Pipeline](), "")
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "freshet pipeline"
	root["required"] = []string{"pipeline", "streams"}
	out, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic("BUG: the pipeline's schema cannot be written: " + err.Error())
	}
	return append(out, '\n')
}

type object = map[string]any

func schemaOf(t reflect.Type, tag reflect.StructTag) object {
	s := shapeOf(t, tag)
	if doc := tag.Get("doc"); doc != "" {
		s["description"] = doc
	}
	return s
}

func shapeOf(t reflect.Type, tag reflect.StructTag) object {
	if t.Kind() == reflect.Pointer {
		return shapeOf(t.Elem(), tag)
	}
	switch v := reflect.New(t).Interface().(type) {
	case *Duration:
		return durationShape()
	case *Strings:
		return object{"anyOf": []any{object{"type": "string"}, object{"type": "array", "items": object{"type": "string"}}}}
	case *Windows:
		return object{"anyOf": []any{durationShape(),
			object{"type": "array", "items": durationShape(), "maxItems": maxWindows},
			object{"type": "object", "additionalProperties": durationShape(), "propertyNames": object{"pattern": labelName.String()}, "maxProperties": maxWindows}}}
	case *Scalar:
		return object{"type": []string{"number", "string", "boolean"}}
	case ordered:
		// A stream of which everything is a default may be left empty.
		value := schemaOf(v.elem(), `expr:"yes"`)
		if v.elem().Kind() == reflect.Struct {
			value = object{"anyOf": []any{value, object{"type": "null"}}}
		}
		return object{"type": "object", "additionalProperties": value}
	}
	switch t.Kind() {
	case reflect.Struct:
		return structShape(t)
	case reflect.Slice:
		return object{"type": "array", "items": schemaOf(t.Elem(), "")}
	case reflect.String:
		if enum := tag.Get("enum"); enum != "" {
			return object{"type": "string", "enum": strings.Split(enum, ",")}
		}
		if tag.Get("expr") != "" {
			return object{"type": []string{"string", "number", "boolean"}}
		}
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float64:
		return object{"type": "number"}
	}
	panic("BUG: a pipeline field of type " + t.String())
}

func durationShape() object {
	return object{"type": "string", "pattern": `^\s*(0|([0-9]+(\.[0-9]+)?(ms|s|m|h|d|w))+)\s*$`}
}

// structShape is a mapping. Where there are parameters any other key is one, a number, a word, true or false.
func structShape(t reflect.Type) object {
	props := object{}
	for _, f := range fieldsOf(t) {
		props[f.Tag.Get("yaml")] = schemaOf(f.Type, f.Tag)
	}
	s := object{"type": "object", "properties": props, "additionalProperties": false}
	if _, has := t.FieldByName("Params"); has {
		s["additionalProperties"] = object{"type": []string{"string", "number", "boolean"}}
	}
	return s
}
