//! `brainmae` with the devices `libtorch:*`; in a clone, `--device` builds and starts it.

fn main() -> std::process::ExitCode {
    brainmae_cli::main()
}
