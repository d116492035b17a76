// SPDX-License-Identifier: Apache-2.0

package pkcs11

import (
	"cmp"
	"hash/maphash"
	"slices"
	"sync"
)

// sessionObjects are the session objects of all sessions with a token. Its lock is held
// for a moment, over no file.
type sessionObjects struct {
	mu      sync.RWMutex
	table   table
	private map[uint]*object // those that end with a login
}

func newSessionObjects() sessionObjects {
	return sessionObjects{table: newTable(), private: map[uint]*object{}}
}

// get returns the object of a handle, or nil.
func (l *sessionObjects) get(handle uint) *object {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.table.objects[handle]
}

// find returns the objects with all attributes of a template.
func (l *sessionObjects) find(template attributes) []*object {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.table.find(template)
}

// add puts an object in, or replaces the one of the same handle. The caller holds mu.
func (l *sessionObjects) add(o *object) {
	l.table.add(o)
	if o.owner.objects == nil {
		o.owner.objects = map[uint]*object{}
	}
	o.owner.objects[o.handle] = o
	if o.private() {
		l.private[o.handle] = o
	}
}

// drop takes an object out. The caller holds mu.
func (l *sessionObjects) drop(o *object) {
	l.table.drop(o.handle)
	delete(o.owner.objects, o.handle)
	delete(l.private, o.handle)
}

// table is a set of objects with an index.
type table struct {
	objects map[uint]*object
	all     []*object // by handle, which ascends with age
	index   map[attributeValue][]*object
	seed    maphash.Seed
}

// attributeValue is a key of the index.
type attributeValue struct {
	attribute uint
	hash      uint64 // of the value, which may be private and does not stay in memory
}

// indexed are the attributes that clients look session objects up by, that tell objects
// apart well, and that are no secret.
var indexed = [...]uint{CKA_ID, CKA_LABEL, CKA_EC_POINT, CKA_SUBJECT, CKA_UNIQUE_ID}

func newTable() table {
	return table{objects: map[uint]*object{}, index: map[attributeValue][]*object{}, seed: maphash.MakeSeed()}
}

func (c *table) indexKey(attribute uint, value []byte) attributeValue {
	return attributeValue{attribute, maphash.Bytes(c.seed, value)}
}

// add puts an object in, or replaces the one of the same handle.
func (c *table) add(o *object) {
	c.drop(o.handle)
	c.objects[o.handle] = o
	c.all = insertObject(c.all, o)
	for _, t := range indexed {
		if v, ok := o.attrs[t]; ok {
			k := c.indexKey(t, v)
			c.index[k] = insertObject(c.index[k], o)
		}
	}
}

// drop takes an object out.
func (c *table) drop(handle uint) {
	o := c.objects[handle]
	if o == nil {
		return
	}
	delete(c.objects, handle)
	c.all = withoutObject(c.all, o)
	for _, t := range indexed {
		if v, ok := o.attrs[t]; ok {
			k := c.indexKey(t, v)
			if c.index[k] = withoutObject(c.index[k], o); len(c.index[k]) == 0 {
				delete(c.index, k)
			}
		}
	}
}

func byHandle(a, b *object) int { return cmp.Compare(a.handle, b.handle) }

func insertObject(list []*object, o *object) []*object {
	if n := len(list); n == 0 || byHandle(list[n-1], o) < 0 {
		return append(list, o)
	}
	i, _ := slices.BinarySearchFunc(list, o, byHandle)
	return slices.Insert(list, i, o)
}

func withoutObject(list []*object, o *object) []*object {
	if i, ok := slices.BinarySearchFunc(list, o, byHandle); ok {
		return slices.Delete(list, i, i+1)
	}
	return list
}

// find returns the objects with all attributes of a template, in their order.
func (c *table) find(template attributes) []*object {
	var found []*object
	for _, o := range c.candidates(template) {
		if o.matches(template) {
			found = append(found, o)
		}
	}
	return found
}

// candidates returns the shortest list that holds all objects that can match.
func (c *table) candidates(template attributes) []*object {
	list := c.all
	for _, t := range indexed {
		if v, ok := template[t]; ok {
			if some := c.index[c.indexKey(t, v)]; len(some) < len(list) {
				list = some
			}
		}
	}
	return list
}
