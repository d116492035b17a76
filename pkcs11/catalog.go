// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"cmp"
	"slices"

	"libzk_pkcs11/internal/scm"
)

// catalog is what a process knows of a token's objects: those that the user who
// is logged in may see, with indexes. It is read anew when the device or the
// store has changed under it.
type catalog struct {
	objects map[uint]*object
	handles map[identity]uint // of token objects
	named   map[uint]uint     // their handles, also those of objects that are gone, and the order
	all     []*object         // in their order
	index   map[attributeValue][]*object

	known         bool // the token objects have been read
	device, store uint64
	warned        map[scm.Slot]bool // of slots that hold another key
}

// attributeValue is a key of the index.
type attributeValue struct {
	attribute uint
	value     string
}

// indexed are the attributes that clients look objects up by and that tell
// objects apart well.
var indexed = [...]uint{CKA_ID, CKA_LABEL, CKA_VALUE, CKA_EC_POINT, CKA_SUBJECT, CKA_ZK_SLOT}

func newCatalog() catalog {
	return catalog{
		objects: map[uint]*object{},
		handles: map[identity]uint{},
		named:   map[uint]uint{},
		index:   map[attributeValue][]*object{},
		warned:  map[scm.Slot]bool{},
	}
}

// add puts an object in, or replaces the one of the same handle.
func (c *catalog) add(o *object) {
	c.remove(o.handle)
	c.objects[o.handle] = o
	if o.owner == nil {
		c.handles[o.id] = o.handle
	}
	c.all = insert(c.all, o)
	for _, t := range indexed {
		if v, ok := o.attrs[t]; ok {
			k := attributeValue{t, string(v)}
			c.index[k] = insert(c.index[k], o)
		}
	}
}

// remove takes an object out. The handle stays known for its identity, in case
// the object comes back.
func (c *catalog) remove(handle uint) {
	o := c.objects[handle]
	if o == nil {
		return
	}
	delete(c.objects, handle)
	c.all = without(c.all, o)
	for _, t := range indexed {
		if v, ok := o.attrs[t]; ok {
			k := attributeValue{t, string(v)}
			if c.index[k] = without(c.index[k], o); len(c.index[k]) == 0 {
				delete(c.index, k)
			}
		}
	}
}

// forget makes an object's handle invalid for good.
func (c *catalog) forget(o *object) {
	c.remove(o.handle)
	if o.owner == nil && c.handles[o.id] == o.handle {
		delete(c.handles, o.id)
	}
}

func byOrder(a, b *object) int {
	return cmp.Or(cmp.Compare(a.order, b.order), cmp.Compare(a.handle, b.handle))
}

func insert(list []*object, o *object) []*object {
	if n := len(list); n == 0 || byOrder(list[n-1], o) < 0 {
		return append(list, o)
	}
	i, _ := slices.BinarySearchFunc(list, o, byOrder)
	return slices.Insert(list, i, o)
}

func without(list []*object, o *object) []*object {
	if i, ok := slices.BinarySearchFunc(list, o, byOrder); ok {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// find returns the objects with all attributes of a template that keep accepts,
// in their order.
func (c *catalog) find(template attributes, keep func(*object) bool) []uint {
	handles := []uint{}
	for _, o := range c.candidates(template) {
		if o.matches(template) && keep(o) {
			handles = append(handles, o.handle)
		}
	}
	return handles
}

// candidates returns the shortest list that holds all objects that can match.
func (c *catalog) candidates(template attributes) []*object {
	list := c.all
	for _, t := range indexed {
		if v, ok := template[t]; ok {
			if some := c.index[attributeValue{t, string(v)}]; len(some) < len(list) {
				list = some
			}
		}
	}
	return list
}
