//go:build !cgo

package factor2

// The compiler shows this name: factor2 calls a C library. Go turns cgo off when CGO_ENABLED is 0, when it
// finds no C compiler, and when it compiles for another system without being told a compiler for that.
var _ = factor2_needs_cgo__set_CGO_ENABLED_1_and_install_a_C_compiler
