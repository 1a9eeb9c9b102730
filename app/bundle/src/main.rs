//! Makes the site folder: the browser's half of `app`, the styles and the assets, fingerprinted and
//! precompressed, with a manifest that the server reads at its start.
//!
//! It stands in for cargo-leptos, which takes longer to install than all of this takes to build.
//! `wasm-bindgen` is linked as a library of the very version that `app` uses, so the two cannot
//! disagree. What it does not do: watch, serve, or build the server.
//!
//! ```text
//! bundle [--profile wasm-release|dev-fast] [--out target/site]
//! ```

mod arguments;
mod browser;
mod css;
mod site;
mod stamp;
mod unreached;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, Result};

use crate::arguments::{Arguments, Profile};
use crate::site::{Limits, Site};

/// What a page costs a phone on a slow line before it is alive. The brotli figure is the promise of
/// the project (a router, forms and a live page fit with room); the styles must fit the first round
/// trips of a connection.
const LIMITS: Limits = Limits {
    wasm_brotli_bytes: 280_000,
    css_bytes: 20_000,
};

fn main() -> ExitCode {
    let arguments = match arguments::parse(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            eprintln!("bundle: {problem}");
            return ExitCode::from(2);
        }
    };
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("bundle: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    let root = workspace_root()?;
    let out = root.join(&arguments.out);
    let toolchain = browser::Toolchain::find(&root)?;
    let optimiser = browser::Optimiser::find(&root)?;
    let said = format!("{toolchain}, {optimiser}, {:?}", arguments.profile);

    let stamp = stamp::of(&root, &said)?;
    if stamp.matches(&out) {
        eprintln!("bundle: nothing changed, {} stands", out.display());
        return Ok(());
    }

    let started = Instant::now();
    eprintln!("bundle: compiling the browser's half ({toolchain})");
    let module = browser::compile(&root, &toolchain, arguments.profile)?;
    eprintln!("bundle: bindings, then {optimiser}");
    let half = browser::bind(&module, &optimiser, arguments.profile)?;
    let style = css::bundle(&root.join("style/main.css"))?;

    let mut site = Site::begin(&out)?;
    site.fingerprinted("js", half.js.as_bytes())?;
    site.fingerprinted("wasm", &half.wasm)?;
    site.fingerprinted("css", style.as_bytes())?;
    site.plain(
        Path::new("print.css"),
        css::bundle(&root.join("style/print.css"))?.as_bytes(),
    )?;
    for (name, snippet) in &half.snippets {
        site.plain(&Path::new("pkg").join(name), snippet.as_bytes())?;
    }
    site.copy_folder(&root.join("app/assets"))?;
    for line in site.report() {
        eprintln!("bundle: {line}");
    }
    if arguments.profile == Profile::WasmRelease {
        site.check(&LIMITS)?;
    }
    site.finish()?;
    stamp.write(&out)?;
    eprintln!(
        "bundle: {} in {:.1} s",
        out.display(),
        started.elapsed().as_secs_f32()
    );
    Ok(())
}

/// The nearest folder from here upwards that holds this tool: it may be called from any folder, and
/// the tree may have moved since it was compiled.
fn workspace_root() -> Result<PathBuf> {
    let here = std::env::current_dir().context("the current folder is gone")?;
    here.ancestors()
        .find(|folder| folder.join("app/bundle/Cargo.toml").exists())
        .map(Path::to_owned)
        .context("this is not inside Belay's repository")
}
