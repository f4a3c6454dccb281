//! Build script: versions of the compiler and, from the lock file, of burn, which are reported with
//! measurements.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
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
