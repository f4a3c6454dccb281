//! Rules about names: which files may not use what.

use super::source::Use;

/// Files, the names that they must not use, and why. A path is also found in a longer one.
struct Rule(fn(&str) -> bool, &'static [&'static str], &'static str);

/// For all code outside tests.
#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule(|file| is_library(file) && !file.starts_with("crates/ops/") && !is_test(file),
        &["Device::flex", "Device::libtorch", "Device::ndarray", "Device::cuda", "burn_tch", "burn::backend"],
        "library crates but `ops` name no backend: they take a Device"),
    Rule(|file| is_program(file) && !file.ends_with("/src/device.rs"),
        &["Device::flex", "Device::libtorch", "Device::cuda"],
        "programs name backends in device.rs alone"),
    Rule(|file| file.starts_with("tests/") && file != "tests/device.rs",
        &["Device::flex", "Device::libtorch", "Device::cuda"],
        "tests across crates name backends in device.rs alone"),
    Rule(is_library,
        &["println!", "eprintln!", "print!", "eprint!", "dbg!"],
        "library crates do not print: they return or trace"),
    Rule(|file| file.starts_with("crates/model/") && !is_test(file),
        &["std::fs", "std::time", "std::env", "Instant::now", "SystemTime"],
        "the model does no I/O and has no clock"),
    Rule(|file| file.starts_with("crates/pretrain/") && !is_test(file),
        &["std::fs", "File::open", "File::create"],
        "only data opens data files, only run writes run folders"),
    Rule(|file| file != "crates/run/src/seeds.rs",
        &["thread_rng", "rand::rng", "from_entropy", "from_os_rng", "SysRng", "Distribution::*"],
        "randomness comes from named streams of one seed"),
    Rule(|file| !is_test(file), &[".unwrap()"],
        "unwrap outside a test: return an error that says what was wrong"),
];

/// For tests, too.
#[rustfmt::skip]
const EVERYWHERE: &[Rule] = &[
    Rule(|file| !(is_program(file) && file.ends_with("/src/mpi.rs")),
        &["::mpi", "mpi::traits", "mpi::environment", "mpi_sys"],
        "MPI is named in mpi.rs of the program alone"),
    Rule(|_| true, &["todo!", "unimplemented!", "#[ignore]"], "nothing is left half done"),
];

/// What is wrong with using this name in `file`.
pub fn broken<'a>(file: &'a str, used: &'a Use) -> impl Iterator<Item = &'static str> + 'a {
    let outside = if used.in_test { &[] } else { RULES };
    let rules = EVERYWHERE.iter().chain(outside);
    let rules = rules.filter(|rule| (rule.0)(file));
    let broken = rules.filter(|rule| rule.1.iter().any(|part| is_within(part, &used.name)));
    broken.map(|rule| rule.2)
}

/// Whether `part` is some segments of the path `name`, in a row; `*` is any segment.
fn is_within(part: &str, name: &str) -> bool {
    let part: Vec<&str> = part.split("::").collect();
    let name: Vec<&str> = name.split("::").collect();
    let is_same = |(part, name): (&&str, &&str)| part == name || *part == "*";
    let mut places = name.windows(part.len());
    places.any(|place| part.iter().zip(place).all(is_same))
}

fn is_test(file: &str) -> bool {
    file.ends_with("/tests.rs") || file.contains("/tests/") || file.starts_with("tests/")
}

/// Programs print, and name a device.
fn is_program(file: &str) -> bool {
    let folders = ["xtask/", "crates/cli/", "crates/machine/", "bench/"];
    folders.iter().any(|folder| file.starts_with(folder))
}

/// Examples and build scripts of a library are programs.
fn is_library(file: &str) -> bool {
    let is_part = file.contains("/src/") || is_test(file);
    file.starts_with("crates/") && is_part && !is_program(file)
}
