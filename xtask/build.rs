//! Build script: sets the path of LibTorch in programs that need it, so that they start without
//! `LD_LIBRARY_PATH`; child processes such as Python would inherit that variable.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    if std::env::var_os("CARGO_FEATURE_LIBTORCH").is_some()
        && let Ok(folder) = std::env::var("LIBTORCH")
    {
        println!("cargo:rustc-link-arg-bins=-Wl,-rpath,{folder}/lib");
    }
}
