// SPDX-License-Identifier: Apache-2.0

package main

import "C"

//export goSetSupervisedBootPolicy
func goSetSupervisedBootPolicy(ctx context, policy C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if c.accepted() {
		c.err = c.device.SetBootPolicy(int(policy))
	}
	return result
}

//export goAddOrUpdateSupervisedBootFile
func goAddOrUpdateSupervisedBootFile(ctx context, path *C.char, slot C.int) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if path := c.textOf(path); c.accepted() {
		c.err = c.device.AddBootFile(path, slotOf(slot))
	}
	return result
}

//export goRemoveSupervisedBootFile
func goRemoveSupervisedBootFile(ctx context, path *C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if path := c.textOf(path); c.accepted() {
		c.err = c.device.RemoveBootFile(path)
	}
	return result
}

//export goGetSupervisedBootFileManifest
func goGetSupervisedBootFileManifest(ctx context, manifest **C.char) (result C.int) {
	var c call
	c.begin(ctx)
	defer c.end(&result)
	if !required(&c, manifest) {
		return result
	}
	names, err := c.device.BootManifest()
	if c.succeeded(err) {
		giveText(manifest, names)
	}
	return result
}
