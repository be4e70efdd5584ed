package main

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"sort"
	"strings"
)

// source is what the Go text of internal/signal says beyond the shapes: comments and constants.
type source struct {
	types  map[string]string            // type name → doc
	fields map[string]map[string]string // type name → field name → doc
	enums  map[string][]constValue      // named string type → its constants, in order of the text
	limits []constValue                 // numbers and other exported constants without a named type
}

type constValue struct {
	name, doc string
	value     constant.Value
	duration  bool
	pos       token.Pos
}

// readSource parses and type-checks the package in dir, test files left out.
func readSource(dir string) (*source, error) {
	set := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: %w", dir, fs.ErrNotExist)
	}
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	if _, err := conf.Check("signal", set, files, info); err != nil {
		return nil, err
	}
	s := &source{types: map[string]string{}, fields: map[string]map[string]string{}, enums: map[string][]constValue{}}
	for _, f := range files {
		for _, d := range f.Decls {
			if g, ok := d.(*ast.GenDecl); ok {
				s.declaration(g, info)
			}
		}
	}
	sort.SliceStable(s.limits, func(i, j int) bool { return s.limits[i].pos < s.limits[j].pos })
	return s, nil
}

func (s *source) declaration(g *ast.GenDecl, info *types.Info) {
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s.typeSpec(spec, firstText(spec.Doc, g.Doc))
		case *ast.ValueSpec:
			if g.Tok == token.CONST {
				group := g.Doc
				if g.Lparen.IsValid() {
					group = nil // the comment of a group speaks of the group
				}
				s.constant(spec, firstText(spec.Doc, spec.Comment, group), info)
			}
		}
	}
}

func (s *source) typeSpec(spec *ast.TypeSpec, doc string) {
	s.types[spec.Name.Name] = doc
	st, ok := spec.Type.(*ast.StructType)
	if !ok {
		return
	}
	docs := map[string]string{}
	for _, f := range st.Fields.List {
		for _, n := range f.Names {
			docs[n.Name] = firstText(f.Doc, f.Comment)
		}
	}
	s.fields[spec.Name.Name] = docs
}

func (s *source) constant(spec *ast.ValueSpec, doc string, info *types.Info) {
	for _, id := range spec.Names {
		c, ok := info.Defs[id].(*types.Const)
		if !ok || !id.IsExported() {
			continue
		}
		v := constValue{name: id.Name, doc: doc, value: c.Val(), pos: id.Pos()}
		named, _ := c.Type().(*types.Named)
		switch {
		case named == nil:
			s.limits = append(s.limits, v)
		case named.Obj().Pkg().Path() == "time":
			v.duration = true
			s.limits = append(s.limits, v)
		case v.value.Kind() == constant.String:
			s.enums[named.Obj().Name()] = append(s.enums[named.Obj().Name()], v)
		}
	}
}

func firstText(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if t := strings.TrimSpace(g.Text()); t != "" {
			return t
		}
	}
	return ""
}
