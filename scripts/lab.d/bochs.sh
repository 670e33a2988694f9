# Bochs 3.0 from Debian's source package, changed by bochs-3.0.patch. No binary package serves: 2.7 has no posted
# interrupts, 3.0 does not take KVM's descriptor, and 3.1 does not get through the kernel's set-up of its clocks.

bochs_source=78f6c73d4a6472d5130a87ab9dc306d02c7c71ed8e25b3a8ef642e2a7acd282b
bochs_flags='-O2 -pipe'
bochs_configuration=(
  --enable-cpu-level=6 --enable-x86-64 --enable-vmx=2 --enable-svm --enable-smp --enable-fpu --enable-avx --enable-evex
  --enable-cet --enable-memtype --enable-protection-keys --enable-all-optimizations --enable-pci --disable-debugger
  --disable-debugger-gui --disable-docbook --disable-plugins --disable-readline --with-nogui
)

bochs_entry() {
  echo "bochs-$(key "$bochs_source" "$parts/bochs-3.0.patch" "$bochs_flags" "${bochs_configuration[*]}")"
}

bochs_is_built() { [[ -d $cache/$(bochs_entry) ]]; }

prepare_bochs() {
  bochs_is_built && return
  update_lists
  say "building Bochs, which takes some minutes"
  cached "$(bochs_entry)" build_bochs
}

build_bochs() {
  private_apt source --download-only --tar-only bochs
  echo "$bochs_source $(echo bochs_*.orig.tar.xz)" | sha256sum --check ||
    { echo "this is not the source of Bochs 3.0 that the patch is for" && return 1; }
  mkdir source
  tar -xf bochs_*.orig.tar.xz -C source --strip-components=1
  (
    cd source
    patch -p1 --fuzz=0 <"$parts/bochs-3.0.patch"
    CFLAGS=$bochs_flags CXXFLAGS=$bochs_flags ./configure "${bochs_configuration[@]}"
    make -j"$(nproc)" bochs
  )
  mv source/bochs .
  rm -r source bochs_*
}
