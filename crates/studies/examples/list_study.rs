//! Scans of a folder: `cargo run --example list_study -- [FOLDER [LAYOUT]]`.
//!
//! Without arguments, it creates a small folder in the layout of XCP-D and lists it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use brainmae_studies::{LAYOUTS, ListOptions, by_name, list, recognise};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let made = tempfile::tempdir()?;
    let root = match arguments.next() {
        Some(folder) => PathBuf::from(folder),
        None => {
            make_study(made.path())?;
            made.path().to_owned()
        }
    };

    println!("layouts:");
    for layout in LAYOUTS {
        println!("  {:<10} {}", layout.name(), layout.about());
    }
    let layout = match arguments.next() {
        Some(name) => by_name(&name)?,
        None => recognise(&root).ok_or("no layout is recognised: name one")?,
    };

    let listing = list(layout, &root, &ListOptions::default())?;
    println!(
        "\n{} scans in the layout {}:",
        listing.scans.len(),
        layout.name()
    );
    for scan in &listing.scans {
        let tr = scan.tr_secs.map_or("?".into(), |secs| format!("{secs} s"));
        let file = scan
            .signal
            .path()
            .strip_prefix(&root)
            .unwrap_or(scan.signal.path());
        println!("  {:<28} TR {tr:<6} {}", scan.scan, file.display());
    }
    println!("\n{} remarks:", listing.notes.len());
    for note in &listing.notes {
        println!("  {:?} {}: {}", note.kind, note.what, note.why);
    }
    Ok(())
}

/// Writes two subjects with one scan each; only the first has head movement.
fn make_study(root: &Path) -> Result<(), Box<dyn Error>> {
    fs::write(root.join("dataset_description.json"), "{}")?;
    for subject in ["sub-01", "sub-02"] {
        let func = root.join(subject).join("func");
        fs::create_dir_all(&func)?;
        let scan = format!("{subject}_task-rest");
        let series = format!("{scan}_seg-4S156Parcels_stat-mean_timeseries");
        fs::write(func.join(format!("{series}.tsv")), "a\tb\n1\t2\n")?;
        let sidecar = r#"{"RepetitionTime": 0.8}"#;
        fs::write(func.join(format!("{series}.json")), sidecar)?;
        if subject == "sub-01" {
            for suffix in ["motion", "outliers"] {
                let table = "framewise_displacement\n0\n";
                fs::write(func.join(format!("{scan}_{suffix}.tsv")), table)?;
            }
        }
    }
    Ok(())
}
