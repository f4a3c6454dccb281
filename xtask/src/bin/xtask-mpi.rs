//! `cargo xtask` as one of several processes; `--processes mpi` builds and starts it.

fn main() -> std::process::ExitCode {
    xtask::main()
}
