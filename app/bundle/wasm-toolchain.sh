#!/usr/bin/env bash
# Makes sure that the browser's half can be compiled, and says which way it took.
#
#   1. The Rust that is here already has the wasm32 standard library: nothing to do.
#   2. `rustup target add` can fetch it.
#   3. Neither: Debian's own Rust, with a wasm32 standard library built from Debian's sources into
#      `target/wasm-sysroot`. Nothing outside `target/` changes but the Debian packages.
#
# WASM_TOOLCHAIN=rustup|debian takes that way only (the bundle tool reads the same variable).
set -euo pipefail
cd "$(dirname "$0")/../.."

triple=wasm32-unknown-unknown
sysroot=${CARGO_TARGET_DIR:-target}/wasm-sysroot
want=${WASM_TOOLCHAIN:-any}
# rust-std for one target is some 20 MB: a line that has not brought it in two minutes is taken for
# one that never answers (seen where only package registries are reached).
rustup_limit_s=120
packages=(rustc-web cargo-web rust-web-src rust-web-llvm lld-22)

say() { printf 'wasm toolchain: %s\n' "$*" >&2; }

has_std() { # folder
    compgen -G "$1/libstd-*.rlib" >/dev/null
}

rustup_has_it() {
    local folder
    folder=$(rustc --print target-libdir --target "$triple" 2>/dev/null) && has_std "$folder"
}

try_rustup() {
    if rustup_has_it; then
        say "rustup way: $(rustc --version) has $triple already"
        return
    fi
    command -v rustup >/dev/null || { say "no rustup here"; return 1; }
    say "asking rustup for $triple (at most $rustup_limit_s s)"
    timeout --kill-after=5 "$rustup_limit_s" rustup target add "$triple" >&2 || true
    if ! rustup_has_it; then
        say "rustup could not fetch it"
        return 1
    fi
    say "rustup way: fetched $triple for $(rustc --version)"
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || echo "$package"
    done
}

try_debian() {
    if ! command -v apt-get >/dev/null; then
        say "cannot go on: this is not Debian, and rustup cannot fetch $triple."
        say "get it with: rustup target add $triple"
        return 1
    fi
    local missing
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -gt 0 ]; then
        if [ "$(id -u)" -ne 0 ]; then
            say "cannot go on: only root may install Debian's Rust, which has to stand in for rustup."
            say "get it with: sudo apt-get install --no-install-recommends ${missing[*]}"
            return 1
        fi
        say "installing from Debian: ${missing[*]}"
        apt-get -qq update || say "apt-get update failed; going on with the list that is here"
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends -y "${missing[@]}" </dev/null >&2
    fi

    local version
    version=$(/usr/bin/rustc --version)
    if has_std "$sysroot/lib/rustlib/$triple/lib" && [ "$(cat "$sysroot/version" 2>/dev/null)" = "$version" ]; then
        say "Debian way: $version, standard library already in $sysroot"
        return
    fi
    say "building the standard library for $triple with $version (about a minute)"
    build_std "$version"
    say "Debian way: $version, standard library in $sysroot"
}

build_std() { # version
    local scratch
    rm -rf "$sysroot"
    mkdir -p "$sysroot/lib/rustlib/$triple/lib"
    scratch=$(cd "$sysroot" && pwd)/scratch
    mkdir -p "$scratch/src"
    printf '[package]\nname = "carrier"\nedition = "2024"\n[workspace]\n' >"$scratch/Cargo.toml"
    printf '#![no_std]\n' >"$scratch/src/lib.rs"
    # RUSTC_BOOTSTRAP lets a stable compiler build its own standard library. The bitcode is for the
    # link-time optimisation of the profile `wasm-release`.
    env -u CARGO -u RUSTUP_TOOLCHAIN -u CARGO_BUILD_TARGET \
        RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 RUSTFLAGS='-Cembed-bitcode=yes' CARGO_TARGET_DIR="$scratch/target" \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=z CARGO_PROFILE_RELEASE_PANIC=abort \
        /usr/bin/cargo build --release -Zbuild-std=std,panic_abort --target "$triple" \
        --manifest-path "$scratch/Cargo.toml" </dev/null >&2
    cp "$scratch/target/$triple/release/deps/"lib*.rlib "$sysroot/lib/rustlib/$triple/lib/"
    rm -f "$sysroot/lib/rustlib/$triple/lib/"libcarrier-*.rlib
    rm -rf "$scratch"
    # Last: its presence says that the copy above was complete.
    printf '%s\n' "$1" >"$sysroot/version"
}

case $want in
    any) try_rustup || try_debian ;;
    rustup) try_rustup ;;
    debian) try_debian ;;
    *)
        say "WASM_TOOLCHAIN is '$want'; it may be 'rustup' or 'debian', or unset for whichever works"
        exit 2
        ;;
esac
