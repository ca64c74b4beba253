package streams

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../deploy/pipelines/schema.json"

// TestSchemaFile: the committed schema is the one that the Go types give. Run with -update after changing them.
func TestSchemaFile(t *testing.T) { golden(t, schemaFile, string(JSONSchema())) }

// asJSON reads a YAML file as an editor would hand it to the schema.
func asJSON(t *testing.T, file string) any {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return v
}

func TestSchemaAccepts(t *testing.T) {
	var doc any
	if err := json.Unmarshal(JSONSchema(), &doc); err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("pipeline.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("pipeline.json")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("../deploy/pipelines/*.yaml")
	if len(files) < 3 {
		t.Fatalf("found %v", files)
	}
	more, _ := filepath.Glob("testdata/good/*.yaml")
	for _, f := range append(files, more...) {
		if err := s.Validate(asJSON(t, f)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
	for _, f := range []string{"keys", "types", "names"} {
		if err := s.Validate(asJSON(t, "testdata/bad/"+f+".yaml")); err == nil {
			t.Errorf("%s.yaml passes the schema", f)
		}
	}
}
