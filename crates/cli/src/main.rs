//! Program `brainmae`.

fn main() -> std::process::ExitCode {
    brainmae_cli::main()
}
