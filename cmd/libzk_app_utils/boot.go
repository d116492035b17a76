// SPDX-License-Identifier: Apache-2.0

package main

import "C"

//export goSetSupervisedBootPolicy
func goSetSupervisedBootPolicy(ctx context, policy C.int) C.int {
	return call(ctx, func(d *device) error { return d.SetBootPolicy(int(policy)) })
}

//export goAddOrUpdateSupervisedBootFile
func goAddOrUpdateSupervisedBootFile(ctx context, path *C.char, slot C.int) C.int {
	return call(ctx, func(d *device) error { return d.AddBootFile(text(path), slotOf(slot)) })
}

//export goRemoveSupervisedBootFile
func goRemoveSupervisedBootFile(ctx context, path *C.char) C.int {
	return call(ctx, func(d *device) error { return d.RemoveBootFile(text(path)) })
}

//export goGetSupervisedBootFileManifest
func goGetSupervisedBootFileManifest(ctx context, manifest **C.char) C.int {
	return call(ctx, func(d *device) error {
		need(manifest)
		names, err := d.BootManifest()
		if err == nil {
			giveText(manifest, names)
		}
		return err
	})
}
