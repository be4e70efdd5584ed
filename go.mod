module github.com/parley-rtc/parley

go 1.26.8
