module github.com/parley-rtc/parley

go 1.26.8

require (
	go.yaml.in/yaml/v3 v3.0.6
	golang.org/x/tools v0.52.0
)
