//! `cargo xtask` with the devices `libtorch:*`; `--device` builds and starts it.

fn main() -> std::process::ExitCode {
    xtask::main()
}
