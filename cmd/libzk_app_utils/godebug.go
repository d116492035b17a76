// SPDX-License-Identifier: Apache-2.0

// The runtime would keep the files of its cgroup open, at the lowest numbers that the
// host has free, and read them each second, also when the host has given the numbers to files of its own.

//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main
