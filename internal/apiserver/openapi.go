package apiserver

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/parley-rtc/parley/internal/trace"
)

type object = map[string]any

// describe makes the OpenAPI description. The shapes come from the types that are answered with, so they cannot differ.
func describe(version string) []byte {
	d := &shapes{all: object{}}
	token := []any{object{"bearer": []any{}}}
	calls := object{"get": object{
		"summary":  "List calls, the newest first. Admin only.",
		"security": token,
		"parameters": []any{
			parameter("query", "before", "What an earlier answer gave as next.", false, object{"type": "string"}),
			parameter("query", "limit", "How many.", false, object{"type": "integer", "minimum": 1, "maximum": maxPage, "default": defaultPage}),
		},
		"responses": d.responses("The calls.", Page{}, "400", "401", "403", "429", "503"),
	}}
	call := object{"get": object{
		"summary":    "Read the record of a call: for those who had a seat in it, and the admin.",
		"security":   token,
		"parameters": []any{parameter("path", "id", "The call's id.", true, object{"type": "string"})},
		"responses":  d.responses("The record. Times are in milliseconds since 1970 by the server's clock.", trace.Record{}, "401", "403", "404", "429", "503"),
	}}
	faults := d.responses("", Fault{}, "401", "403", "429")
	faults["200"] = object{"description": "Numbers for monitoring, in the text format of Prometheus.", "content": object{"text/plain": object{"schema": object{"type": "string"}}}}
	metrics := object{"get": object{"summary": "Read the numbers for monitoring. Admin only.", "security": token, "responses": faults}}
	b, err := json.MarshalIndent(object{
		"openapi": "3.1.0",
		"info":    object{"title": "Parley", "version": version},
		"paths":   object{base + "/calls": calls, base + "/calls/{id}": call, base + "/metrics": metrics},
		"components": object{
			"schemas":         d.all,
			"securitySchemes": object{"bearer": object{"type": "http", "scheme": "bearer", "description": "The admin token, or the token of a seat in one call."}},
		},
	}, "", " ")
	if err != nil {
		panic("apiserver: our own types have JSON: " + err.Error())
	}
	return append(b, '\n')
}

func parameter(in, name, words string, required bool, schema object) object {
	return object{"in": in, "name": name, "description": words, "required": required, "schema": schema}
}

// shapes are the schemas of Go types, by name.
type shapes struct{ all object }

func (d *shapes) responses(words string, v any, faults ...string) object {
	content := func(v any) object {
		return object{"application/json": object{"schema": d.schema(reflect.TypeOf(v))}}
	}
	out := object{"200": object{"description": words, "content": content(v)}}
	for _, status := range faults {
		out[status] = object{"description": "Why not, in words.", "content": content(Fault{})}
	}
	return out
}

func (d *shapes) schema(t reflect.Type) object {
	switch t.Kind() {
	case reflect.Pointer:
		return d.schema(t.Elem())
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Slice:
		return object{"type": "array", "items": d.schema(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": d.schema(t.Elem())}
	case reflect.Struct:
		if _, known := d.all[t.Name()]; !known {
			d.all[t.Name()] = nil // a type within itself ends here
			properties, required := object{}, []string{}
			d.fields(t, properties, &required)
			d.all[t.Name()] = object{"type": "object", "properties": properties, "required": required}
		}
		return object{"$ref": "#/components/schemas/" + t.Name()}
	}
	return object{"type": "integer"}
}

// fields collects those of a struct as encoding/json writes them.
func (d *shapes) fields(t reflect.Type, properties object, required *[]string) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			d.fields(f.Type, properties, required)
		case !f.IsExported() || name == "-":
		default:
			properties[name] = d.schema(f.Type)
			if !strings.Contains(options, "omitempty") {
				*required = append(*required, name)
			}
		}
	}
}
