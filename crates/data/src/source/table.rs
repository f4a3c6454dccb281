//! One text table: a header row with the names of the ROIs, then a row per volume.

use std::path::Path;

use super::recipe::{AtlasChoice, ColumnsChoice, Recipe, TableFile};
use super::{Sink, Source, SourceScan};
use crate::error::DataError;
use brainmae_atlas::{Atlas, Hemisphere, Roi};
use brainmae_formats::signal_table::SignalTable;

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
        let SignalTable { names, signals, .. } =
            SignalTable::read_columns(&path, &table.columns, &table.drop)?;
        let refuse = |problem| DataError::TextTable {
            path: path.clone(),
            line: 1,
            problem,
        };
        let names = names.ok_or_else(|| refuse("there is no header row with the names".into()))?;
        let atlas = atlas(choice, &names);
        atlas
            .check()
            .map_err(|problem| refuse(problem.to_string()))?;
        let subject = recipe.subject.subject.clone();
        let scan = SourceScan {
            scan: recipe.scan_id(&subject, None),
            subject,
            session: None,
            n_volumes: signals.n_volumes(),
            origin: table.file.clone(),
            labels: Vec::new(),
        };
        Ok(Self {
            atlas,
            scans: vec![scan],
            values: signals.values,
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
