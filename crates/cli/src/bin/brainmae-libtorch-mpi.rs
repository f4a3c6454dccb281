//! `brainmae` with the devices `libtorch:*`, as one of several processes; in a clone, `--device`
//! and `--processes` build and start it.

fn main() -> std::process::ExitCode {
    brainmae_cli::main()
}
