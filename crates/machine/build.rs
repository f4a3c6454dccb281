//! Build script: checks LibTorch's version before anything is compiled with it.

#[path = "src/libtorch/version.rs"]
mod version;

use std::path::Path;

use version::Version;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=src/libtorch/version.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_LIBTORCH").is_none() {
        return;
    }
    let Ok(folder) = std::env::var("LIBTORCH") else {
        println!(
            "cargo:error=the feature libtorch needs LibTorch: set LIBTORCH to its folder, or let `--device libtorch:cpu` find or fetch it"
        );
        return;
    };
    match Version::of(Path::new(&folder)).filter(|version| version.fits()) {
        Some(version) => println!("cargo:rustc-env=BRAINMAE_LIBTORCH_VERSION={version}"),
        None => println!("cargo:error=no LibTorch of version 2.9 to 2.11 in {folder}"),
    }
}
