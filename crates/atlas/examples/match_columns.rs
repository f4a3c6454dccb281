//! Match of column names with the ROIs of an atlas: `cargo run --example match_columns`.

use brainmae_atlas::guard::{match_columns, match_count, missing};
use brainmae_atlas::{Atlas, AtlasError, builtin};

fn main() -> Result<(), AtlasError> {
    let atlas = builtin::atlas("schaefer-100-7")?;
    let names: Vec<String> = atlas.rois.iter().map(|roi| roi.name.clone()).collect();

    let short = |name: &String| name.replace("7Networks_", "").to_lowercase();
    tell(&atlas, "other spelling", names.iter().map(short).collect());

    let mut right_first = names.clone();
    right_first.rotate_left(atlas.n_rois() / 2);
    tell(&atlas, "right hemisphere first", right_first);

    let seventeen = builtin::atlas("schaefer-100-17")?;
    let by_seventeen = seventeen.rois.into_iter().map(|roi| roi.name).collect();
    tell(&atlas, "names by 17 networks", by_seventeen);

    let with_others = names.iter().cloned().chain(["LH-Pu".to_owned()]).collect();
    tell(&atlas, "an ROI below the cortex", with_others);

    tell(&atlas, "one column missing", names[1..].to_vec());

    let mut misspelt = names;
    misspelt[1] = "LH_Viz_2".to_owned();
    tell(&atlas, "a misspelt name", misspelt);

    let larger = builtin::atlas("schaefer-200-7")?;
    let of_larger = larger.rois.into_iter().map(|roi| roi.name).collect();
    tell(&atlas, "another number of ROIs", of_larger);

    println!("\nwithout names:");
    for n_columns in [100, 101, 156] {
        match match_count(&atlas, n_columns, 1200) {
            Ok(warning) => println!("  {n_columns} columns: {warning}"),
            Err(error) => println!("  {n_columns} columns, refused: {error}"),
        }
    }
    Ok(())
}

fn tell(atlas: &Atlas, case: &str, columns: Vec<String>) {
    match match_columns(atlas, &columns) {
        Ok(found) => {
            let there = (0..atlas.n_rois()).filter(|roi| found.columns[*roi].is_some());
            println!(
                "{case}: names of {}, reordered: {}, other names: {}, ignored: {:?}, missing: {:?}",
                found.naming,
                found.reordered,
                found.aliased,
                found.ignored,
                missing(atlas, there)
            );
        }
        Err(error) => println!("{case}, refused: {error}"),
    }
}
