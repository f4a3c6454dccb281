//! Version of the code of the running program.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use crate::cargo::BuiltIn;
use crate::front::Front;
use crate::workspace;

static BUILT_FROM: OnceLock<Option<&'static str>> = OnceLock::new();

/// Sets the version of the code that this program was built from, if the build knew it; for `main`.
pub fn begin(built_from: Option<&'static str>) {
    // A second call would be a second main.
    let _ = BUILT_FROM.set(built_from);
}

/// Version of the code from git: of the clone that this program was built in, otherwise as recorded
/// when the program was built to be installed.
pub fn this() -> Option<String> {
    let clone = match Front::this() {
        Front::Xtask => Some(workspace::root()),
        Front::Brainmae => BuiltIn::this_program()
            .ok()
            .and_then(|_| workspace::clone_here()),
    };
    let installed = || BUILT_FROM.get().copied().flatten().map(String::from);
    clone.and_then(|clone| described(&clone)).or_else(installed)
}

fn described(clone: &Path) -> Option<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty", "--abbrev=12"])
        .current_dir(clone)
        .output()
        .ok()?;
    let version = String::from_utf8(output.stdout).ok()?;
    let version = version.trim();
    (output.status.success() && !version.is_empty()).then(|| version.to_string())
}
