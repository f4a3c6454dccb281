//! One text table: a header row with the names of the ROIs, then a row per volume.

use std::collections::BTreeMap;
use std::path::Path;

use super::recipe::{AtlasChoice, ColumnsChoice, Recipe, TableFile};
use super::{Sink, Source, SourceScan};
use crate::atlas::{Atlas, Hemisphere, Roi};
use crate::error::DataError;

/// Cells that mean: no value.
const MISSING: [&str; 5] = ["", "n/a", "N/A", "nan", "NaN"];

pub(super) struct TableSource {
    atlas: Atlas,
    scans: Vec<SourceScan>,
    values: Vec<f64>,
}

impl TableSource {
    pub fn open(dir: &Path, recipe: &Recipe, table: &TableFile) -> Result<Self, DataError> {
        let AtlasChoice::Columns(choice) = &recipe.atlas else {
            return Err(DataError::config(
                "atlas.kind",
                "spatial",
                "columns, for a table has no voxels",
            ));
        };
        let path = dir.join(&table.file);
        let (names, values) = read(&path, table)?;
        let atlas = atlas(choice, &names);
        atlas.check().map_err(|problem| DataError::TextTable {
            path,
            line: 1,
            problem,
        })?;
        let subject = recipe.subject.subject.clone();
        let scan = SourceScan {
            scan: recipe.scan_id(&subject, None),
            subject,
            session: None,
            n_volumes: values.len() / names.len(),
            origin: table.file.clone(),
            labels: Vec::new(),
        };
        Ok(Self {
            atlas,
            scans: vec![scan],
            values,
        })
    }
}

impl Source for TableSource {
    fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    fn scans(&self) -> &[SourceScan] {
        &self.scans
    }

    fn read(&mut self, wanted: &[bool], sink: &mut Sink<'_>) -> Result<(), DataError> {
        if wanted[0] {
            sink(0, self.values.clone())?;
        }
        Ok(())
    }
}

fn atlas(choice: &ColumnsChoice, names: &[String]) -> Atlas {
    let side = |name: &str| match name.chars().next() {
        Some('L') if choice.hemisphere_from_first_letter => Some(Hemisphere::Left),
        Some('R') if choice.hemisphere_from_first_letter => Some(Hemisphere::Right),
        _ => None,
    };
    Atlas {
        name: choice.name.clone(),
        version: choice.version.clone(),
        rois: names
            .iter()
            .enumerate()
            .map(|(index, name)| Roi {
                index,
                name: name.clone(),
                network: None,
                hemisphere: side(name),
                centroid_mm: None,
            })
            .collect(),
    }
}

/// The names of the columns used and their cells, `[row][column]`.
fn read(path: &Path, table: &TableFile) -> Result<(Vec<String>, Vec<f64>), DataError> {
    let refuse = |line: u64, problem: String| DataError::TextTable {
        path: path.to_owned(),
        line,
        problem,
    };
    let broken = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        refuse(line, error.to_string())
    };
    let file = std::fs::File::open(path).map_err(DataError::io("open", path))?;
    let tabs = path.extension().is_some_and(|ending| ending == "tsv");
    let mut rows = csv::ReaderBuilder::new()
        .delimiter(if tabs { b'\t' } else { b',' })
        .trim(csv::Trim::All)
        .from_reader(file);

    let header: Vec<String> = rows
        .headers()
        .map_err(broken)?
        .iter()
        .map(str::to_owned)
        .collect();
    let places: BTreeMap<&str, usize> = header
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at))
        .collect();
    if places.len() != header.len() {
        return Err(refuse(1, "two columns have one name".into()));
    }
    for name in table.columns.iter().chain(&table.drop) {
        if !places.contains_key(name.as_str()) {
            return Err(refuse(
                1,
                format!("there is no column {name:?}, only {}", header.join(", ")),
            ));
        }
    }
    let asked = if table.columns.is_empty() {
        &header
    } else {
        &table.columns
    };
    let names: Vec<String> = asked
        .iter()
        .filter(|name| !table.drop.contains(name))
        .cloned()
        .collect();
    if names.is_empty() {
        return Err(refuse(1, "no column is left to use".into()));
    }

    let mut values = Vec::new();
    for row in rows.records() {
        let row = row.map_err(broken)?;
        let line = row.position().map_or(0, csv::Position::line);
        for name in &names {
            let cell = row.get(places[name.as_str()]).unwrap_or_default();
            values.push(if MISSING.contains(&cell) {
                f64::NAN
            } else {
                cell.parse().map_err(|_| {
                    refuse(line, format!("{cell:?} in column {name:?} is no number"))
                })?
            });
        }
    }
    Ok((names, values))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(
        name: &str,
        text: &str,
        columns: &[&str],
        drop: &[&str],
    ) -> Result<(Vec<String>, Vec<f64>), DataError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let table = TableFile {
            file: name.into(),
            columns: own(columns),
            drop: own(drop),
        };
        read(&path, &table)
    }

    #[test]
    fn columns_are_chosen_in_the_order_asked_for_or_dropped() {
        let text = "WM,\"LPut\",RPut\n1,2,3\n4,5e1, 6\n";
        let (names, values) = read_text("a.csv", text, &[], &["WM"]).unwrap();
        assert_eq!(
            (names, values),
            (vec!["LPut".into(), "RPut".into()], vec![2., 3., 50., 6.])
        );
        let (names, values) = read_text("a.csv", text, &["RPut", "LPut"], &[]).unwrap();
        assert_eq!(
            (names, values),
            (vec!["RPut".into(), "LPut".into()], vec![3., 2., 6., 50.])
        );
    }

    #[test]
    fn a_tsv_has_tabs_and_n_a_is_missing() {
        let (_, values) = read_text("a.tsv", "a\tb\n1\tn/a\n", &[], &[]).unwrap();
        assert_eq!(values[0], 1.0);
        assert!(values[1].is_nan());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, drop, word) in [
            ("a,b\n1,2\n3,x\n", &[][..], "line 3: \"x\" in column \"b\""),
            ("a,b\n1,2\n3\n", &[], "line 3"),
            ("a,a\n1,2\n", &[], "two columns have one name"),
            ("a,b\n1,2\n", &["c"], "no column \"c\", only a, b"),
            ("a\n1\n", &["a"], "no column is left"),
        ] {
            let error = read_text("a.csv", text, &[], drop).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
