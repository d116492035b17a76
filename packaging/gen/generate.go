// SPDX-License-Identifier: Apache-2.0

package main

//go:generate go run .
