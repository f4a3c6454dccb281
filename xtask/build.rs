//! Writes into the programs with LibTorch where LibTorch lies, so that it starts without `LD_LIBRARY_PATH`, which the programs that it
//! starts, Python among them, would inherit.

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
