//! Nothing is built; with a build script, the features of build dependencies apply.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
}
