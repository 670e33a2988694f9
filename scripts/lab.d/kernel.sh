# The kernel of the emulated host: Debian's, by its release or its suite, or one of the user's own.

suites='bookworm bookworm-backports trixie sid'

# choose_kernel WHAT: a release such as 6.12, a suite, or a file: a bzImage, or a package of one.
choose_kernel() {
  kernel=$1 kernel_file=''
  [[ ! $1 =~ ^[0-9]+\.[0-9]+$ && " $suites " != *" $1 "* ]] || return 0
  [[ -f $1 && -r $1 ]] || wrong_usage "--kernel takes a release such as 6.12, one of $suites, or a file; '$1' is none"
  kernel=$(realpath "$1")
  case $(head -c 8 "$kernel" | tr -d '\0') in
    '!<arch>'*) kernel_file=deb && return ;;
    $'\x7fELF'*) fail 65 "'$1' is an ELF file, as vmlinux is: the lab boots the bzImage that is made of it, arch/x86/boot/bzImage" ;;
  esac
  # The boot protocol's signature (kernel, Documentation/arch/x86/boot.rst).
  [[ $(bytes_at "$kernel" 0x202 4 | tr -d '\0') == HdrS ]] || fail 65 "'$1' is neither a bzImage nor a Debian package"
  kernel_file=image
}

# bytes_at FILE OFFSET COUNT, number_at FILE OFFSET BYTES
bytes_at() { tail -c +$(($2 + 1)) "$1" | head -c "$3"; }
number_at() { od -An -tu"$3" -j $(($2)) -N "$3" "$1" | tr -d ' '; }

# Where the kernel's files are: nothing for an image alone.
kernel_root() {
  case $kernel_file in
    '') package "linux-image-$kernel" ;;
    deb) echo "$scratch/kernel" ;;
  esac
}

kernel_image() {
  [[ $kernel_file == image ]] && echo "$kernel" && return
  echo "$(kernel_root)"/boot/vmlinuz-*
}

# An image's release, as it says itself (kernel_version: Documentation/arch/x86/boot.rst).
kernel_release() {
  bytes_at "$kernel" $((0x200 + $(number_at "$kernel" 0x20e 2))) 256 | tr '\0' '\n' | head -n 1 | cut -d ' ' -f 1
}

# Where its modules are looked for; nothing where all that is needed must be a part of it. A folder may have those of several
# kernels, as one does that modules_install has filled again and again.
modules_folder() {
  local folder
  if [[ $kernel_file == image ]]; then
    [[ -z $modules_given ]] || find -L "$modules_given" -maxdepth 5 -type d -name "$(kernel_release)" -print -quit
    return
  fi
  for folder in "$(kernel_root)"/{usr/lib,lib}/modules; do [[ ! -d $folder ]] || { echo "$folder" && return; }; done
}

# module_file NAME: where a module is, whatever it is compressed with.
module_file() {
  local folder
  folder=$(modules_folder)
  [[ -z $folder ]] || find -L "$folder" -name "${1//_/[-_]}.ko*" ! -name '*.ko.debug' -print -quit
}

vendor() { [[ $host == vtx ]] && echo kvm-intel || echo kvm-amd; }
kvm_is_module() { [[ -n $(module_file "$(vendor)") ]]; }

# Takes a kernel of the user's own apart, and says what it lacks before anything boots.
prepare_kernel() {
  if [[ $kernel_file == deb ]]; then
    say "unpacking $(basename "$kernel")"
    cached "${scratch#"$cache"/}/kernel" dpkg-deb -x "$kernel" .
    compgen -G "$scratch/kernel/boot/vmlinuz-*" >/dev/null ||
      fail 65 "'$kernel' has no kernel in it: of what 'make bindeb-pkg' makes it is linux-image-*.deb"
  fi
  [[ -z $modules_given || -n $(modules_folder) ]] ||
    fail 65 "'$modules_given' has no modules of $(kernel_release), which the image is"
  [[ -z $kernel_file ]] || check_configuration
  [[ $apicv != both && $ipiv != both ]] || kvm_is_module ||
    wrong_usage "KVM is a part of this kernel, so that a boot has APICv and IPI virtualization either on or off: on, then off"
}

# What an option is for; those of the last group only make cases be skipped.
needed_options() {
  cat <<END
BLK_DEV_INITRD the initial RAM disk
RD_GZIP its compression
BINFMT_ELF programs
BINFMT_SCRIPT the first process
DEVTMPFS /dev
PROC_FS /proc
SYSFS /sys
TMPFS /tmp and the results
SERIAL_8250_CONSOLE the console
ATA_PIIX the disk that takes the results
BLK_DEV_SD the disk that takes the results
KVM what is tested
KVM_$([[ $host == vtx ]] && echo INTEL || echo AMD) what is tested
END
}

check_configuration() {
  local config=$scratch/config option why value missing=()
  kernel_configuration >"$config" || true
  if [[ ! -s $config ]]; then
    say "this kernel does not say how it is configured (CONFIG_IKCONFIG), so that nothing it may lack is known"
    return
  fi
  while read -r option why; do
    value=$(sed -n "s/^CONFIG_$option=//p" "$config" | head -n 1)
    case $value in
      y) ;;
      m) [[ -n $(modules_folder) ]] || missing+=("CONFIG_$option is a module, and --modules names no folder: $why") ;;
      *) missing+=("CONFIG_$option is off: $why") ;;
    esac
  done < <(needed_options)
  ((${#missing[@]} == 0)) || fail 65 "this kernel cannot be the emulated host's" "${missing[@]}"
  grep -qx 'CONFIG_EVENT_TRACING=y' "$config" || say "CONFIG_EVENT_TRACING is off: cases that need tracepoints are skipped"
}

# The configuration: inside the image, or else beside it, where an installed kernel and a package have it, or in the tree in
# which it was built.
kernel_configuration() {
  local image folder
  image=$(kernel_image)
  folder=$(dirname "$image")
  embedded_configuration >"$scratch/embedded"
  if [[ -s $scratch/embedded ]]; then
    cat "$scratch/embedded"
  elif [[ -f $folder/config-${image##*/vmlinuz-} ]]; then
    cat "$folder/config-${image##*/vmlinuz-}"
  elif [[ $image == */arch/x86/boot/bzImage && -f ${image%/arch/x86/boot/bzImage}/.config ]]; then
    cat "${image%/arch/x86/boot/bzImage}/.config"
  fi
}

# What CONFIG_IKCONFIG puts into the kernel, which is compressed in its image (setup header, payload_offset and
# payload_length: Documentation/arch/x86/boot.rst).
embedded_configuration() {
  local image sectors start place
  image=$(kernel_image)
  sectors=$(number_at "$image" 0x1f1 1)
  ((sectors > 0)) || sectors=4
  start=$(((sectors + 1) * 512 + $(number_at "$image" 0x248 4)))
  bytes_at "$image" "$start" "$(number_at "$image" 0x24c 4)" | decompressed >"$scratch/vmlinux" 2>/dev/null || true
  place=$(grep -abo -m 1 IKCFG_ST "$scratch/vmlinux" | head -n 1 | cut -d: -f1)
  [[ -z $place ]] || tail -c +$((place + 9)) "$scratch/vmlinux" | gzip -dc 2>/dev/null || true
  rm -f "$scratch/vmlinux"
}

# By the payload's first bytes; the size that follows most of them is no part of the stream.
decompressed() {
  local payload=$scratch/payload
  cat >"$payload"
  case $(od -An -tx1 -N 4 "$payload" | tr -d ' ') in
    1f8b*) gzip -dc "$payload" ;;
    fd377a58) xz -dc "$payload" ;;
    28b52ffd) zstd -dc "$payload" ;;
    02214c18) lz4 -dc "$payload" ;;
    5d0000*) xz -dc --format=lzma "$payload" ;;
    425a68*) bzip2 -dc "$payload" ;;
    894c5a4f) lzop -dc "$payload" ;;
  esac
  rm -f "$payload"
}

# Debian's name of a kernel's package: of the newest of a release, or of a suite's.
kernel_package() {
  local found
  if [[ " $suites " == *" $1 "* ]]; then
    found=$(private_indexes "$1" | newest_kernel '')
  else
    found=$(private_apt_cache show linux-image-cloud-amd64 | newest_kernel "$1.")
  fi
  [[ -n $found ]] || { echo "Debian's lists of $(suites_of "$1") have no kernel '$1'" >&2 && return 1; }
  echo "$found"
}

# newest_kernel BEGINNING: the first package that the meta package depends on whose release begins so.
newest_kernel() {
  awk -v beginning="$1" '
    /^Package: / { is_kernel = $2 == "linux-image-cloud-amd64" }
    is_kernel && found == "" && /^Depends: / && match($0, /linux-image-[0-9][^ ,]*/) {
      name = substr($0, RSTART, RLENGTH)
      if (index(substr(name, length("linux-image-") + 1), beginning) == 1) found = name
    }
    END { print found }'
}

# The suites whose lists are read for a kernel: no more than are needed, for they are large.
suites_of() {
  case $1 in
    6.1 | 6.12 | bookworm*) echo bookworm bookworm-updates bookworm-backports ;;
    trixie | sid) echo bookworm bookworm-updates "$1" ;;
    *) echo bookworm bookworm-updates bookworm-backports trixie sid ;;
  esac
}
