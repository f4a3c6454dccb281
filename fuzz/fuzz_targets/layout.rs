#![no_main]
//! Layout readers: manifests, sidecars and file names of all layouts.

use brainmae_studies::{LAYOUTS, ListOptions};
use brainmae_fuzz::folder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // The first line is a file name, the rest a manifest and a sidecar.
    let mut parts = data.splitn(2, |byte| *byte == b'\n');
    let name = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let text = parts.next().unwrap_or_default();
    let root = folder().join("tree");
    let _ = std::fs::remove_dir_all(&root);
    let func = root.join("sub-1/func");
    std::fs::create_dir_all(&func).expect("a folder can be made");
    let safe = !name.is_empty() && !name.contains(['/', '\0']) && !name.starts_with('.');
    if safe && name.len() < 200 {
        let _ = std::fs::write(func.join(&name), b"");
        let stem = name.split('.').next().unwrap_or_default();
        let _ = std::fs::write(func.join(format!("{stem}.json")), text);
    }
    let _ = std::fs::write(root.join("manifest.tsv"), text);
    for layout in LAYOUTS {
        let _ = brainmae_studies::list(*layout, &root, &ListOptions::default());
    }
});
