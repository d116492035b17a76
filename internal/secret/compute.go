// SPDX-License-Identifier: Apache-2.0

package secret

// Compute is Do for a function that returns something.
func Compute[A, T any](f func(A) (T, error), a A) (result T, err error) {
	Do(func() { result, err = f(a) })
	return result, err
}

// ComputeWith is Compute for a function of two arguments.
func ComputeWith[A, B, T any](f func(A, B) (T, error), a A, b B) (result T, err error) {
	Do(func() { result, err = f(a, b) })
	return result, err
}
