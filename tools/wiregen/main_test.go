package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// TestCommittedFile fails when a wire type changed and the generator was not run.
func TestCommittedFile(t *testing.T) {
	want, err := generate("../../" + sourceDir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../" + outputFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what internal/signal says; run make gen", outputFile)
	}
}

func TestShapes(t *testing.T) {
	text, err := generate("../../" + sourceDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"export interface Offer extends Header, Peer {\n  type: 'offer';",
		"  sdpMid?: string | null;",
		"export const MaxMessage = 65536;",
		"export const HelloTimeoutMs = 10000;",
		"  tracks?: Track[];",
		"  | 'screen-audio';",
		"export type ClientMessage =\n  | Hello",
		"export type ServerMessage =\n  | Welcome",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("missing %q", want)
		}
	}
}
