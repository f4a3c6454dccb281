//! Text table with a header row of ROI names and one row per volume.

use std::path::Path;

use super::recipe_file::{AtlasChoice, ColumnsChoice, Recipe, TableFile};
use super::{RecipeLayout, RecipeScan, SignalSink};
use crate::error::{DataError, RecipeProblem};
use brainmae_atlas::{Atlas, Hemisphere, Roi};
use brainmae_files::CommonErrors as _;
use brainmae_formats::signal_table::SignalTable;

pub(super) struct TableLayout {
    atlas: Atlas,
    scans: Vec<RecipeScan>,
    /// `[roi][volume]`.
    values: Vec<f64>,
}

impl TableLayout {
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
        let names = names.ok_or_else(|| DataError::recipe(&path, RecipeProblem::NoHeader))?;
        let atlas = atlas(choice, &names);
        atlas.check().map_err(|problem| {
            DataError::recipe(&path, RecipeProblem::ColumnNames(problem.to_string()))
        })?;
        let subject = recipe.subject.subject.clone();
        let scan = RecipeScan {
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

impl RecipeLayout for TableLayout {
    fn atlas(&self) -> &Atlas {
        &self.atlas
    }

    fn scans(&self) -> &[RecipeScan] {
        &self.scans
    }

    fn read(&mut self, wanted: &[usize], sink: &mut SignalSink<'_>) -> Result<(), DataError> {
        (wanted.iter()).try_for_each(|number| sink(*number, self.values.clone()))
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
