panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
runtime.gopanic({0x4a1b20?, 0xc0000140a8?})
	/usr/local/go/src/runtime/panic.go:770 +0x132
main.(*Cart).total(...)
	/app/cart.go:12 +0x1d
main.main()
	/app/main.go:7 +0x25

goroutine 18 [chan receive, 2 minutes]:
main.worker.func1()
	/app/worker.go:20 +0x5c
created by main.worker in goroutine 1
	/app/worker.go:18 +0x8a
exit status 2
