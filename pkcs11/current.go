// SPDX-License-Identifier: Apache-2.0

package pkcs11

// Of the threads of a process one brings the catalog up to date. A search waits for it; a
// call that has a handle goes on with what was true a moment ago.

// isCurrent reports whether the catalog is up to date.
func (t *token) isCurrent(c *catalog) bool {
	return c != nil && (c.nodes || !t.nodes.wanted.Load()) && (c.foreign || !t.foreignWanted.Load()) && c.login == t.logins.Load() && c.device == t.device.Version() && c.stored == t.store.Version()
}

// currentCatalog returns the catalog with all that was committed before the call.
func (t *token) currentCatalog() (*catalog, error) {
	if c := t.catalog.Load(); t.isCurrent(c) {
		return c, nil
	}
	return t.renewCatalog(nil)
}

// renewCatalog returns a catalog that is up to date, and another one than old.
func (t *token) renewCatalog(old *catalog) (*catalog, error) {
	t.updating.Lock()
	defer t.updating.Unlock()
	return t.updateCatalog(old)
}

// updateCatalog brings the catalog up to date. The caller holds updating. Of one that is old the
// records are read anew although the store's version has not moved: a change may be
// committed and not told yet, for as long as its writer is stopped.
func (t *token) updateCatalog(old *catalog) (*catalog, error) {
	c := t.catalog.Load()
	if c != old && t.isCurrent(c) {
		return c, nil
	}
	login := t.logins.Load()
	if c != nil && c.login != login {
		c = nil
	}
	if c != nil && c == old {
		untold := *c
		untold.stored = ^c.stored
		c = &untold
	}
	c, err := t.nextCatalog(c, login)
	if err != nil {
		return nil, err
	}
	t.catalog.Store(c)
	return c, nil
}

// slotsChanged reports whether the objects of key slots are others than those of a catalog, when the store was read at a
// revision after it.
func (t *token) slotsChanged(c *catalog, revision uint64) (bool, error) {
	if revision == c.revision {
		return false, nil
	}
	newer, err := t.renewCatalog(c)
	return err == nil && !newer.hasSlotsOf(c), err
}

// recentCatalog returns the catalog with all that this process has committed, and more if that
// costs no waiting for another thread.
func (t *token) recentCatalog() (*catalog, error) {
	c := t.inMemory()
	if c == nil {
		return t.currentCatalog()
	}
	if t.isCurrent(c) || !t.updating.TryLock() {
		return c, nil
	}
	defer t.updating.Unlock()
	newer, err := t.updateCatalog(nil)
	switch {
	case err == nil:
		return newer, nil
	case isGone(err):
		return nil, err
	}
	return c, nil // a store that is busy keeps nobody from what is in memory
}

// inMemory returns the catalog as it is if it has all that this process has committed.
func (t *token) inMemory() *catalog {
	c := t.catalog.Load()
	if c == nil || c.login != t.logins.Load() || c.stored < t.written.Load() {
		return nil
	}
	return c
}

// forgetObjects makes the next call read the objects.
func (t *token) forgetObjects() {
	t.listed.Store(nil)
	t.logins.Add(1)
}

// findObject finds an object that the session may see.
func (s *session) findObject(handle uint) (*object, error) {
	if handle&namesTokenObject == 0 {
		return s.visible(s.token.mine.get(handle))
	}
	c, err := s.token.recentCatalog()
	if err != nil {
		return nil, err
	}
	if o := c.handles[handle]; o != nil {
		return s.visible(o)
	}
	o, err := s.storedBy(handle)
	if err == CKR_OBJECT_HANDLE_INVALID && !c.foreign {
		return s.foreignBy(handle)
	}
	return o, err
}

// foreignBy finds an object among the foreign keys, too: the parent process may have found it.
func (s *session) foreignBy(handle uint) (*object, error) {
	s.token.foreignWanted.Store(true)
	c, err := s.token.currentCatalog()
	if err != nil {
		return nil, err
	}
	return s.visible(c.handles[handle])
}

// storedBy finds a stored object by its handle.
func (s *session) storedBy(handle uint) (*object, error) {
	id, ok := s.token.names.record(handle)
	if !ok {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	o, err := s.token.stored(id)
	if err != nil {
		return nil, err
	}
	if o.handle != handle {
		return nil, CKR_OBJECT_HANDLE_INVALID // private, although the handle is of a public one
	}
	return s.visible(o)
}

func (s *session) visible(o *object) (*object, error) {
	if o == nil || !s.readable(o) {
		return nil, CKR_OBJECT_HANDLE_INVALID
	}
	return o, nil
}

// findKey is object for a function that needs a key. One that is in memory, and in its slot,
// is taken from there, whatever the store is doing.
func (s *session) findKey(handle uint) (*object, error) {
	o, err := s.keyInMemory(handle)
	if o != nil || err != nil {
		return o, err
	}
	o, err = s.findObject(handle)
	if err == CKR_OBJECT_HANDLE_INVALID || err == nil && (o.keyType() == CK_UNAVAILABLE_INFORMATION || o.class() == CKO_DOMAIN_PARAMETERS) {
		return nil, CKR_KEY_HANDLE_INVALID
	}
	return o, err
}

// keyInMemory returns nil for a key that has to be looked for.
func (s *session) keyInMemory(handle uint) (*object, error) {
	c := s.token.inMemory()
	if c == nil {
		return nil, s.token.checkPresent()
	}
	o := c.handles[handle]
	if o == nil || o.heldKey() == nil || !s.readable(o) {
		return nil, nil
	}
	if s.token.unchanged(o.heldKey()) {
		return o, nil
	}
	if err := s.token.checkPresent(); err != nil {
		return nil, err
	}
	if s.token.checkStillHeld(o.heldKey()) != nil {
		return nil, nil
	}
	return o, nil
}

// ownObjects are the session objects of a session.
func (s *session) ownObjects() []*object {
	l := &s.token.mine
	l.mu.RLock()
	defer l.mu.RUnlock()
	list := make([]*object, 0, len(s.objects))
	for _, o := range s.objects {
		list = append(list, o)
	}
	return list
}

// dropSessionObjects destroys the objects of a session that ends.
func (t *token) dropSessionObjects(s *session) {
	for _, o := range s.ownObjects() {
		t.dropObject(o)
	}
}

// dropPrivate forgets the private objects when the user logs out, and their handles for
// good: those that come back get others (section 5.6.10).
func (t *token) dropPrivate() {
	t.mine.mu.RLock()
	list := make([]*object, 0, len(t.mine.private))
	for _, o := range t.mine.private {
		list = append(list, o)
	}
	t.mine.mu.RUnlock()
	for _, o := range list {
		t.dropObject(o)
	}
	t.names.newLogin(t.slot.provider.newHandle())
	t.forgetObjects()
	for _, s := range t.slot.provider.sessionsOf(t) {
		s.endIfIdle()
	}
	t.catalog.Store(nil) // what private objects are called does not stay in memory
	t.loaded.dropAll()
}

// dropObject destroys a session object.
func (t *token) dropObject(o *object) {
	t.mine.mu.Lock()
	there := t.mine.table.objects[o.handle]
	if there != nil {
		t.mine.drop(there)
	}
	t.mine.mu.Unlock()
	if there == nil {
		return
	}
	t.slot.provider.revoke(there.piece)
	if in, goes := there.place.(transient); goes && there.class() == CKO_PRIVATE_KEY {
		in.erase(t)
	}
}
