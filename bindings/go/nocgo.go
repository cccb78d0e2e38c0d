//go:build !cgo

package factor2

// The other files call C. Without cgo this one alone is compiled, and its error says what to do.
var _ = factor2_needs_cgo__install_a_C_compiler_and_set_CGO_ENABLED_to_1
