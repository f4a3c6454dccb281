//! `cargo xtask` with the devices `libtorch:*`, as one of several processes; `--device` and
//! `--processes` build and start it.

fn main() -> std::process::ExitCode {
    xtask::main()
}
