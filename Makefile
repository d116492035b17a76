# SPDX-License-Identifier: Apache-2.0

PREFIX     ?= /usr
LIBDIR     ?= $(PREFIX)/lib
BUILD      := build
GO         ?= go
# Of the git tag, and told to all that tells it: see scripts/version.sh.
VERSION     = $(shell scripts/version.sh)
GOFLAGS_SO := -trimpath -buildvcs=false -buildmode=c-shared
# As Debian wants programs to be; what it is made of is compiled as for libzk_app_utils.so.
GOFLAGS_PIE := -trimpath -buildvcs=false -buildmode=pie
SHELL      := /bin/bash
export CGO_ENABLED = 1
# Lets internal/secret clean up after functions that handle PINs.
export GOEXPERIMENT = runtimesecret

# The version script cannot stand in a #cgo line: only the external linker takes it.
# $(call ldflags,FOLDER,NAME,MORE) are the linker's flags of the library NAME. They hold this folder, of which
# -buildid= keeps a number out of the file: the same sources give the same bytes anywhere.
ldflags = -s -w -buildid= -extldflags '-Wl,--version-script=$(CURDIR)/$(1)/export.map -Wl,-soname,$(2) -Wl,-z,now -Wl,--no-undefined$(3)'
# The module starts its runtime itself, and that runtime is a quiet guest: see docs/adr/0021-runtime-start.md.
GUEST   = ,-T,$(CURDIR)/module/start.ld,--wrap=pthread_create,--wrap=pthread_key_create,--wrap=fsync,--wrap=fdatasync,--wrap=x_cgo_mmap
MODULE  = -overlay $(BUILD)/runtime/overlay.json -ldflags "$(call ldflags,module,libzk_pkcs11.so,$(GUEST))" -o $(1)/libzk_pkcs11.so ./module
# As the module has it (module/start.c): a caller's bad pointer is no reason to end the process. No //go:debug line says that.
FORGIVE = -X runtime.godebugDefault=invalidptr=0,containermaxprocs=0,updatemaxprocs=0
VENDOR  = -ldflags "$(FORGIVE) $(call ldflags,cmd/libzk_app_utils,libzk_app_utils.so)" -o $(1)/libzk_app_utils.so ./cmd/libzk_app_utils
# The tool's version.
TOLD    = -buildid= -X main.version=$(VERSION)

.DEFAULT_GOAL := build
.PHONY: build demo test test-zymbit test-debian12 test-debian13 test-arch test-boards check check-generated race sanitize fuzz bench soak install uninstall install-emulator uninstall-emulator clean help build-arm64 build-checkptr generate deb dist

build: $(BUILD)/runtime/overlay.json ## Build the module, the tool and libzk_app_utils.so into build/
	@mkdir -p $(BUILD)
	$(GO) build $(GOFLAGS_SO) $(call MODULE,$(BUILD))
	$(GO) build $(GOFLAGS_SO) $(call VENDOR,$(BUILD))
	@rm -f $(BUILD)/*.h
	$(GO) build $(GOFLAGS_PIE) -ldflags "$(TOLD) -s -w" -o $(BUILD)/zk_pkcs11-util ./cmd/zk_pkcs11-util

# Made anew each time, for another Go may build now.
.PHONY: $(BUILD)/runtime/overlay.json
$(BUILD)/runtime/overlay.json:
	@GO=$(GO) VERSION=$(VERSION) scripts/runtime.sh $(BUILD)/runtime

build-arm64: $(BUILD)/runtime/overlay.json ## Build the module for linux/arm64 into build/arm64/
	@mkdir -p $(BUILD)/arm64
	GOARCH=arm64 CC=aarch64-linux-gnu-gcc $(GO) build $(GOFLAGS_SO) $(call MODULE,$(BUILD)/arm64)
	@rm -f $(BUILD)/arm64/*.h

CHECKED ?= all
build-checkptr: $(BUILD)/runtime/overlay.json ## Build with pointer checks into build/checkptr/
	@mkdir -p $(BUILD)/checkptr
	$(GO) build $(GOFLAGS_SO) -gcflags=$(CHECKED)=-d=checkptr $(call MODULE,$(BUILD)/checkptr)
	$(GO) build $(GOFLAGS_SO) -gcflags=$(CHECKED)=-d=checkptr $(call VENDOR,$(BUILD)/checkptr)
	@rm -f $(BUILD)/checkptr/*.h
	$(GO) build -trimpath -buildvcs=false -ldflags "$(TOLD)" -o $(BUILD)/checkptr/zk_pkcs11-util ./cmd/zk_pkcs11-util

demo: ## Show a TLS handshake with a key in an SCM slot, on a fresh machine too
	@scripts/demo.sh

test: ## Install what the tests need, build, and run all of them
	@scripts/test.sh

test-zymbit: build ## Run the provider's and the black box tests through the vendor's C API
	@scripts/zymbit.sh

# Debian roots are kept below ZK_ROOTS, build/roots unless set.
test-debian12: ## Install the packages on a new Debian 12, and run the tests of real clients there
	@BUILD=$(BUILD) VERSION=$(VERSION) scripts/test-debian.sh bookworm $(TESTS)

test-debian13: ## Install the packages on a new Debian 13, and run the tests of real clients there
	@BUILD=$(BUILD) VERSION=$(VERSION) scripts/test-debian.sh trixie $(TESTS)

test-arch: build ## Run tests of the module for arm64 and armhf, by qemu's emulation
	@scripts/arch.sh

test-boards: ## Fork hosts of the module on whole machines of the boards' architectures, which qemu emulates
	@BUILD=$(BUILD) scripts/boards.sh

check: ## Run the linters
	@scripts/check.sh

check-generated: ## See that the generated files are up to date
	@scripts/generated.sh

deb: ## Build the Debian packages for ARCH (amd64, arm64, armhf) into build/packages/
	@ARCH=$(ARCH) BUILD=$(BUILD) VERSION=$(VERSION) scripts/deb.sh

dist: ## Make what a release consists of, in build/dist/
	@BUILD=$(BUILD) VERSION=$(VERSION) scripts/dist.sh

bench: build ## Run the benchmarks
	@scripts/bench.sh

race: ## Run the tests of the packages under the race detector
	$(GO) test -count=1 -race -timeout 30m ./pkcs11 ./internal/...

sanitize: build ## Run a short set of tests with each of the race detector, pointer checks and AddressSanitizer
	@scripts/sanitize.sh

fuzz: build ## Try inputs at random for TIME (10m unless set)
	@TIME=$(TIME) scripts/fuzz.sh

soak: build race ## Run the tests that take long
	ZK_SOAK=1 $(GO) test -count=1 -timeout 60m ./tests/...

generate: ## Make the generated files again
	$(GO) generate ./...

$(BUILD)/libzk_pkcs11.so $(BUILD)/libzk_app_utils.so $(BUILD)/zk_pkcs11-util:
	@echo "$@ is not there: run make first" >&2; exit 1

# Not built here: root often lacks Go, and would own what it builds. Packages own these files, too:
# scripts/install.sh leaves theirs alone.
INSTALLED = $(LIBDIR)/libzk_pkcs11.so $(PREFIX)/bin/zk_pkcs11-util $(PREFIX)/share/p11-kit/modules/zk_pkcs11.module

install: $(BUILD)/libzk_pkcs11.so $(BUILD)/zk_pkcs11-util ## Install what make built below PREFIX (DESTDIR is honoured)
	@DESTDIR=$(DESTDIR) scripts/install.sh check $(INSTALLED)
	install -D -m 0755 $(BUILD)/libzk_pkcs11.so $(DESTDIR)$(LIBDIR)/libzk_pkcs11.so
	install -D -m 0755 $(BUILD)/zk_pkcs11-util $(DESTDIR)$(PREFIX)/bin/zk_pkcs11-util
	install -d $(DESTDIR)$(PREFIX)/share/p11-kit/modules
	sed 's|@LIBDIR@|$(LIBDIR)|' packaging/zk_pkcs11.module.in > $(DESTDIR)$(PREFIX)/share/p11-kit/modules/zk_pkcs11.module
	chmod 0644 $(DESTDIR)$(PREFIX)/share/p11-kit/modules/zk_pkcs11.module

# With the headers where programs for the vendor's library look for them.
install-emulator: $(BUILD)/libzk_app_utils.so ## Install the soft SCM behind the vendor's C API below PREFIX
	@there=$(DESTDIR)$(LIBDIR)/libzk_app_utils.so; if test -e $$there && ! grep -q zk_app_utils_adopt $$there; then \
		echo "$$there is the vendor's library: choose another PREFIX" >&2; exit 1; fi
	install -D -m 0755 $(BUILD)/libzk_app_utils.so $(DESTDIR)$(LIBDIR)/libzk_app_utils.so
	install -d $(DESTDIR)$(PREFIX)/include/zymkey
	install -m 0644 include/zk_app_utils.h include/zk_b64.h include/zkAppUtilsClass.h $(DESTDIR)$(PREFIX)/include/zymkey

uninstall-emulator: ## Remove what install-emulator installed
	rm -f $(DESTDIR)$(LIBDIR)/libzk_app_utils.so $(addprefix $(DESTDIR)$(PREFIX)/include/zymkey/,zk_app_utils.h zk_b64.h zkAppUtilsClass.h)

uninstall: ## Remove what install installed
	@DESTDIR=$(DESTDIR) scripts/install.sh remove $(INSTALLED)

clean: ## Remove the build folder
	rm -rf $(BUILD)

help: ## Show this help
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "%-20s %s\n", $$1, $$2}'
