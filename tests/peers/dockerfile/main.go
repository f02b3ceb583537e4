// Reads a container file as Docker's own builder does, without building: what it complains of, what the image would be,
// and which files of a folder its ignore file lets through.
//
//	dockerfile CONTAINERFILE IGNOREFILE FOLDER
//
// prints one JSON object: {"warnings": [TEXT], "image": {…}, "context": [PATH]}.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
	"github.com/opencontainers/go-digest"
)

// offline answers for a registry: every base image is one that says nothing about itself.
type offline struct{}

func (offline) ResolveImageConfig(
	_ context.Context, ref string, _ sourceresolver.Opt,
) (string, digest.Digest, []byte, error) {
	return ref, "", []byte(`{"os": "linux", "architecture": "amd64", "config": {}, "rootfs": {"type": "layers"}}`), nil
}

func main() {
	if len(os.Args) != 4 {
		fail("usage: dockerfile CONTAINERFILE IGNOREFILE FOLDER")
	}
	text, err := os.ReadFile(os.Args[1])
	if err != nil {
		fail(err)
	}
	warnings := []string{}
	read, err := dockerfile2llb.Dockerfile2LLB(context.Background(), text, dockerfile2llb.ConvertOpt{
		MetaResolver: offline{},
		AllStages:    true,
		SourceMap:    llb.NewSourceMap(nil, os.Args[1], "Dockerfile", text),
		Warn: func(rule, _, _, told string, at []parser.Range) {
			warnings = append(warnings, fmt.Sprintf("line %d: %s: %s", at[0].Start.Line, rule, told))
		},
	})
	if err != nil {
		fail(err)
	}
	answer := map[string]any{"warnings": warnings, "image": read.Image.Config, "context": sent(os.Args[2], os.Args[3])}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

// sent returns the files below folder that a build with this ignore file would be sent.
func sent(ignored string, folder string) []string {
	file, err := os.Open(ignored)
	if err != nil {
		fail(err)
	}
	defer file.Close()
	patterns, err := ignorefile.ReadAll(file)
	if err != nil {
		fail(err)
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		fail(err)
	}
	files := []string{}
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		out, err := matcher.MatchesOrParentMatches(relative)
		if err == nil && !out {
			files = append(files, relative)
		}
		return err
	})
	if err != nil {
		fail(err)
	}
	return files
}

func fail(why any) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(2)
}
