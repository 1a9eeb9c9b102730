//! From the crate `app` to the two files a browser loads: cargo, wasm-bindgen, wasm-opt.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::arguments::Profile;
use crate::unreached;

const TRIPLE: &str = "wasm32-unknown-unknown";

/// The proposals that Rust's wasm target and wasm-bindgen use; every browser of the last three
/// years has them. `wasm-opt` must be told, because wasm-bindgen drops the section that says so.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What travels is brotli, and passes that make the module smaller before that do not always make it
/// smaller after. Inlining, as `-Oz` does it, costs 9 % (measured: 334 kB with it, 305 kB without), and
/// `-Oz` itself 0.9 % over `-Os` repeated until nothing changes (280.3 kB, 277.9 kB). Naming what is
/// computed twice costs 0.5 % (269.6 kB, 268.2 kB).
const SHRINK: [&str; 6] = [
    "-Os",
    "--converge",
    "--skip-pass",
    "inlining-optimizing",
    "--skip-pass",
    "local-cse",
];

/// Whose compiler builds the browser's half. `wasm-toolchain.sh` sees to it that one of them can.
#[derive(Debug)]
pub(crate) enum Toolchain {
    /// The one that compiled this tool.
    Current { version: String },
    /// Debian's, with a standard library of our own making: where rustup cannot fetch one.
    Debian { version: String, sysroot: PathBuf },
}

impl Toolchain {
    pub(crate) fn find(root: &Path) -> Result<Self> {
        let wanted = std::env::var("WASM_TOOLCHAIN").ok();
        if wanted.as_deref() != Some("debian") && has_std(&target_libdir()?) {
            let version = output(Command::new("rustc").arg("--version"))?;
            return Ok(Self::Current { version });
        }
        let sysroot = target_folder(root).join("wasm-sysroot");
        if wanted.as_deref() != Some("rustup")
            && has_std(&sysroot.join("lib/rustlib").join(TRIPLE).join("lib"))
        {
            let version = output(Command::new("/usr/bin/rustc").arg("--version"))?;
            return Ok(Self::Debian { version, sysroot });
        }
        bail!(
            "no compiler here has a standard library for {TRIPLE}; run app/bundle/wasm-toolchain.sh"
        )
    }

    fn cargo(&self) -> Result<Command> {
        match self {
            Self::Current { .. } => Ok(Command::new(
                std::env::var_os("CARGO").unwrap_or("cargo".into()),
            )),
            Self::Debian { sysroot, .. } => {
                let sysroot = sysroot
                    .to_str()
                    .context("the target folder's name is not UTF-8")?;
                let mut cargo = Command::new("/usr/bin/cargo");
                cargo
                    .env("RUSTC", "/usr/bin/rustc")
                    .env_remove("CARGO")
                    .env_remove("RUSTUP_TOOLCHAIN")
                    // Joined to the flags of `.cargo/config.toml`, where RUSTFLAGS would replace them.
                    .arg("--config")
                    .arg(format!(
                        "target.{TRIPLE}.rustflags=[\"--sysroot\", {sysroot:?}]"
                    ));
                Ok(cargo)
            }
        }
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Current { version } => write!(f, "{version}"),
            Self::Debian { version, .. } => write!(f, "Debian's {version}"),
        }
    }
}

/// A `wasm-opt`: the pinned one from npm where it is installed, else the system's.
#[derive(Debug)]
pub(crate) struct Optimiser {
    program: PathBuf,
    version: String,
}

impl Optimiser {
    pub(crate) fn find(root: &Path) -> Result<Self> {
        let pinned = root.join("app/bundle/node_modules/.bin/wasm-opt");
        let program = if pinned.exists() {
            pinned
        } else {
            PathBuf::from("wasm-opt")
        };
        let version = output(Command::new(&program).arg("--version"))
            .context("no wasm-opt; run `npm ci --ignore-scripts` in app/bundle")?;
        Ok(Self { program, version })
    }

    fn shrink(&self, wasm: &[u8], scratch: &Path) -> Result<Vec<u8>> {
        let (before, after) = (
            scratch.join("before-opt.wasm"),
            scratch.join("after-opt.wasm"),
        );
        std::fs::write(&before, wasm)?;
        let status = Command::new(&self.program)
            .args(SHRINK)
            .args(WASM_FEATURES)
            .arg(&before)
            .arg("-o")
            .arg(&after)
            .status()?;
        ensure!(status.success(), "{self} failed on {}", before.display());
        Ok(std::fs::read(&after)?)
    }
}

impl fmt::Display for Optimiser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.version)
    }
}

/// What the browser loads.
#[derive(Debug)]
pub(crate) struct Half {
    pub(crate) js: String,
    pub(crate) wasm: Vec<u8>,
    /// JavaScript that crates carry along, by its path beside `js`.
    pub(crate) snippets: BTreeMap<PathBuf, String>,
}

/// Compiles `app` for the browser and returns the module's path. In a target folder of its own:
/// it neither waits for a build of the server nor has its features unified with the server's.
pub(crate) fn compile(root: &Path, toolchain: &Toolchain, profile: Profile) -> Result<PathBuf> {
    let target = target_folder(root).join("wasm");
    let mut cargo = toolchain.cargo()?;
    cargo
        .current_dir(root)
        .env("CARGO_TARGET_DIR", &target)
        .args([
            "build",
            "--locked",
            "--package",
            "app",
            "--lib",
            "--target",
            TRIPLE,
        ])
        .args(["--no-default-features", "--features", "hydrate"]);
    let folder = match profile {
        Profile::WasmRelease => {
            cargo.args(["--profile", "wasm-release"]);
            "wasm-release"
        }
        Profile::DevFast => {
            // Below opt-level 1 the module has more locals in a function than browsers accept.
            cargo.args([
                "--config",
                "profile.dev.opt-level=1",
                "--config",
                "profile.dev.debug=false",
            ]);
            "debug"
        }
    };
    let status = cargo.status().context("cargo could not be started")?;
    ensure!(
        status.success(),
        "the browser's half does not compile (above)"
    );
    Ok(target.join(TRIPLE).join(folder).join("app.wasm"))
}

/// Makes the JavaScript side of the module and takes from the module what no browser needs.
pub(crate) fn bind(module: &Path, optimiser: &Optimiser, profile: Profile) -> Result<Half> {
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(module)
        .out_name("belay")
        .web(true)?
        .typescript(false)
        .remove_name_section(profile == Profile::WasmRelease)
        .remove_producers_section(true)
        // The page passes the address, which carries a fingerprint.
        .omit_default_module_path(true);
    let mut output = bindgen
        .generate_output()
        .context("wasm-bindgen refused the module")?;
    let mut snippets = BTreeMap::new();
    for (crate_folder, inline) in output.snippets() {
        for (index, text) in inline.iter().enumerate() {
            let name = Path::new("snippets")
                .join(crate_folder)
                .join(format!("inline{index}.js"));
            snippets.insert(name, text.clone());
        }
    }
    for (name, text) in output.local_modules() {
        snippets.insert(Path::new("snippets").join(name), text.clone());
    }
    let js = output.js().to_owned();
    let trapped = unreached::trap(output.wasm_mut())?;
    eprintln!("bundle: {trapped} functions that nothing calls are traps");
    let wasm = output.wasm_mut().emit_wasm();
    let scratch = module
        .parent()
        .context("cargo names its output by a full path")?;
    let wasm = match profile {
        Profile::WasmRelease => optimiser.shrink(&wasm, scratch)?,
        Profile::DevFast => wasm,
    };
    Ok(Half { js, wasm, snippets })
}

pub(crate) fn target_folder(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or("target".into()))
}

fn target_libdir() -> Result<PathBuf> {
    let printed =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", TRIPLE]))?;
    Ok(PathBuf::from(printed))
}

fn has_std(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries
            .flatten()
            .any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"))
    })
}

fn output(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("{} could not be started", command.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}
