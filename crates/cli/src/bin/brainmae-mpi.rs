//! `brainmae` as one of several processes; in a clone, `--processes mpi` builds and starts it.

fn main() -> std::process::ExitCode {
    brainmae_cli::main()
}
