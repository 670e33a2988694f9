# What the emulated host boots: a kernel, a base (busybox, modules, lab.d/init) that is the same for every run and kept,
# and a job (lapwing, files, the command) behind it.

busybox() { "$(package busybox-static)/bin/busybox" "$@"; }

# In the order in which they are loaded; what they depend on is found.
modules() { echo ata_piix sd_mod "$(vendor)"; }

# Of a kernel of the user's own nothing is kept: there may be one for each commit.
base_entry() {
  [[ -z $kernel_file ]] || { echo "${scratch#"$cache"/}/base" && return; }
  echo "base-$host-$(key "$parts/init" "$parts/image.sh" "$(kernel_image)" "$(modules)")"
}

prepare_base() {
  [[ -d $cache/$(base_entry) ]] && return
  # Each part of a suite packs its own.
  [[ -z $kernel_file ]] || ((emulators == 1)) || return 0
  say "packing the base"
  cached "$(base_entry)" pack_base
}

pack_base() {
  mkdir -p base/{bin,dev,proc,sys,tmp,run,results,modules}
  cp "$(package busybox-static)/bin/busybox" base/bin/
  cp "$parts/init" base/init
  chmod 755 base/init
  mknod base/dev/console c 5 1 2>/dev/null || true
  local name
  for name in $(modules); do take_module "$name"; done
  archive base >base.cpio
  gzip -9 base.cpio
  rm -r base
}

# Copies a module, unpacked, behind those that it depends on, and writes the order down. One that is not there is a part
# of the kernel.
take_module() {
  local name file depends other
  file=$(module_file "$1")
  [[ -n $file ]] || return 0
  name=$(basename "$file")
  name=${name%%.ko*}
  [[ ! -e base/modules/$name.ko ]] || return 0
  case $file in
    *.xz) xz -dc "$file" >"$name.ko" ;;
    *.zst) zstd -qdc "$file" >"$name.ko" ;;
    *.gz) gzip -dc "$file" >"$name.ko" ;;
    *) cp "$file" "$name.ko" ;;
  esac
  depends=$(tr '\0' '\n' <"$name.ko" | sed -n 's/^depends=//p' | head -n 1)
  for other in ${depends//,/ }; do take_module "$other"; done
  mv "$name.ko" base/modules/
  echo "$name" >>base/modules/order
}

# A cpio archive of a folder, as the kernel unpacks it.
archive() { (cd "$1" && find . | LC_ALL=C sort | busybox cpio -o -H newc -R 0:0 2>/dev/null); }

build_program() {
  [[ -z $program ]] || return 0
  command -v swift >/dev/null || fail 69 "there is no swift in PATH to build lapwing with; --program may name one"
  say "building lapwing"
  (cd "$root" && swift build -c release --product lapwing) >"$scratch/swift.log" 2>&1 ||
    { tail -n 25 "$scratch/swift.log" >&2 && fail 69 "lapwing does not build"; }
  program=$root/.build/release/lapwing
}

# The suite and the measurements write a report for programs as well, unless they are told what to write.
keeps_report() {
  [[ ${command[1]:-} == test || ${command[1]:-} == bench ]] || return 0
  local word
  for word in "${command[@]:2}"; do
    case $word in --format* | --output* | -o* | --list | --help | -h | --compare*) return 0 ;; esac
  done
  echo yes
}

quoted() {
  local word
  for word in "$@"; do printf " '%s'" "${word//\'/\'\\\'\'}"; done
}

build_job() {
  local job=$scratch/job/job
  mkdir -p "$job/files"
  cp "$program" "$job/lapwing"
  ! command -v strip >/dev/null || strip "$job/lapwing" 2>/dev/null || true
  chmod 755 "$job/lapwing"
  ((${#files[@]} == 0)) || cp -rL -t "$job/files" -- "${files[@]}" || fail 69 "a file cannot be copied"
  [[ ${command[0]} == */* ]] || command=(lapwing "${command[@]}")
  {
    echo "set --$(quoted "${command[@]}")"
    echo "runs='$(runs)'"
    echo "keeps_report=$(keeps_report)"
    echo "vendor=$(vendor)"
    echo "ipiv=$ipiv"
  } >"$job/command"
  archive "$scratch/job" | gzip -1 >"$scratch/job.cpio.gz" || fail 69 "the job cannot be packed"
  rm -r "$scratch/job"
  # The kernel takes several archives one behind the other.
  cat "$cache/$(base_entry)/base.cpio.gz" "$scratch/job.cpio.gz" >"$scratch/initrd"
  truncate -s "$results_size" "$scratch/results.img"
  [[ $host == svm ]] || build_disc
}

# Bochs starts from a compact disc.
build_disc() {
  local disc=$scratch/disc syslinux
  mkdir "$disc"
  syslinux=$(package syslinux-common)/usr/lib/syslinux/modules/bios
  cp "$(package isolinux)/usr/lib/ISOLINUX/isolinux.bin" "$syslinux/ldlinux.c32" "$disc/"
  ln -s "$(kernel_image)" "$disc/kernel"
  mv "$scratch/initrd" "$disc/initrd"
  printf 'default lab\nlabel lab\nkernel /kernel\nappend initrd=/initrd %s\n' "$(kernel_line)" >"$disc/isolinux.cfg"
  LD_LIBRARY_PATH=$(package libmagic1)/usr/lib/x86_64-linux-gnu "$(package genisoimage)/usr/bin/genisoimage" -quiet -f \
    -o "$scratch/lab.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table "$disc" \
    2>"$scratch/disc.log" || { cat "$scratch/disc.log" >&2 && fail 69 "the disc cannot be made"; }
  rm -r "$disc"
}
