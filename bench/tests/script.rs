//! Tests of the script `scripts/bench.sh`, with a program that only prints how it was called.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Prints its arguments and the search path of its libraries.
const PROGRAM: &str = r#"#!/bin/sh
[ "$1" = --version ] && exit 0
echo "$@"
echo "$LIBTORCH $LD_LIBRARY_PATH $OMP_WAIT_POLICY $BRAINMAE_CODE_VERSION"
"#;

/// Fails to start, as on a system that is some years old.
const TOO_NEW: &str = r#"#!/bin/sh
echo "./xtask-libtorch: /lib/libc.so.6: version \`GLIBC_2.32' not found (required by ./xtask-libtorch)" >&2
echo "./xtask-libtorch: /lib/libc.so.6: version \`GLIBC_2.34' not found (required by ./xtask-libtorch)" >&2
exit 1
"#;

/// Unpacked package.
struct Package(tempfile::TempDir);

impl Package {
    fn new(program: &str) -> Self {
        let package = Self(tempfile::tempdir().expect("a temporary folder"));
        package.script("bench.sh", include_str!("../../scripts/bench.sh"));
        package.script("xtask-libtorch", program);
        fs::write(package.path("versions"), "code=abc123\nlibtorch=2.11.0\n").expect("writable");
        package
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
        path
    }

    /// A Python with this version of torch.
    fn python(&self, version: &str) -> PathBuf {
        let torch = self.path("torch");
        let text = format!("#!/bin/sh\necho '{version}' '{}'\n", torch.display());
        self.script("python", &text)
    }

    /// Runs the script with an empty environment.
    fn run(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> Output {
        Command::new(self.path("bench.sh"))
            .args(arguments)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .envs(variables.iter().copied())
            .output()
            .expect("a shell")
    }

    fn refusal(&self, arguments: &[&str], variables: &[(&str, &Path)]) -> String {
        let output = self.run(arguments, variables);
        assert!(!output.status.success());
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        said.replace(&self.0.path().display().to_string(), "HERE")
    }
}

#[test]
fn the_script_finds_libtorch_in_a_python_and_measures_with_it() {
    let package = Package::new(PROGRAM);
    let python = package.python("2.11.0+cu130").display().to_string();
    let output = package.run(&["--size", "quick", "--python", &python], &[]);
    assert!(output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    let mut lines = said.lines();
    let expected = format!("bench all --size quick --python {python} --device libtorch:cpu");
    // On a machine with a GPU, its device follows.
    assert!(
        lines.next().expect("arguments").starts_with(&expected),
        "{said}"
    );
    let torch = package.path("torch").display().to_string();
    let environment = format!("{torch} {torch}/lib passive abc123");
    assert_eq!(lines.next(), Some(environment.as_str()));
}

#[test]
fn a_device_that_is_named_is_the_one_that_is_measured() {
    let package = Package::new(PROGRAM);
    let python = format!("--python={}", package.python("2.9.1").display());
    let output = package.run(&[&python, "--device=cpu"], &[]);
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    let expected = format!("bench all {python} --device=cpu");
    assert_eq!(said.lines().next(), Some(expected.as_str()));
}

#[test]
fn the_script_says_what_is_missing() {
    let package = Package::new(PROGRAM);
    let nothing = package.script("python", "#!/bin/sh\nexit 1\n");
    let without = nothing.display().to_string();
    let mut said = package.refusal(&["--python", &without], &[]);
    said += &package.refusal(&["--python", "no-such-python"], &[]);
    said += &package.refusal(&[], &[("LIBTORCH", &package.path("nowhere"))]);
    let old = package.python("2.8.0+cu126").display().to_string();
    said += &package.refusal(&["--python", &old], &[]);
    let later = Package::new(TOO_NEW);
    let python = later.python("2.11.0").display().to_string();
    said += &later.refusal(&["--python", &python], &[]);
    insta::assert_snapshot!("bench_refusals", said);
}
