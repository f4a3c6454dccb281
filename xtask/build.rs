//! Writes into the programs with LibTorch where LibTorch lies, so that they start without `LD_LIBRARY_PATH`, which the programs that
//! they start, Python among them, would inherit. Into all programs: the versions that measurements are told with.

#[path = "src/libtorch/version.rs"]
mod version;

use std::path::Path;
use std::process::Command;

use version::Version;

fn main() {
    versions();
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/libtorch/version.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_LIBTORCH").is_none() {
        return;
    }
    let Ok(folder) = std::env::var("LIBTORCH") else {
        println!(
            "cargo:error=`--device libtorch:cpu` builds this feature: it finds or fetches LibTorch"
        );
        return;
    };
    match Version::of(Path::new(&folder)).filter(|version| version.fits()) {
        Some(version) => {
            println!("cargo:rustc-env=BRAINMAE_LIBTORCH_VERSION={version}");
            println!("cargo:rustc-link-arg-bin=xtask-libtorch=-Wl,-rpath,{folder}/lib");
            if std::env::var_os("CARGO_FEATURE_MPI").is_some() {
                println!("cargo:rustc-link-arg-bin=xtask-libtorch-mpi=-Wl,-rpath,{folder}/lib");
            }
        }
        None => println!("cargo:error=no LibTorch of version 2.9 to 2.11 in {folder}"),
    }
}

/// Of the compiler, and of burn as the lock file has it.
fn versions() {
    println!("cargo:rerun-if-changed=../Cargo.lock");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let said = Command::new(rustc).arg("--version").output();
    let rust = said.map_or(String::new(), |said| {
        String::from_utf8_lossy(&said.stdout).trim().to_string()
    });
    println!("cargo:rustc-env=BRAINMAE_RUST_VERSION={rust}");
    let lock = std::fs::read_to_string("../Cargo.lock").unwrap_or_default();
    let burn = lock
        .split_once("name = \"burn\"\nversion = \"")
        .and_then(|(_, rest)| rest.split('"').next());
    println!(
        "cargo:rustc-env=BRAINMAE_BURN_VERSION={}",
        burn.unwrap_or("unknown")
    );
}
