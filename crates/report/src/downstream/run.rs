//! Data of the report of a finished run of predictions, read from its folder.

use std::path::Path;

use brainmae_downstream::{Predictions, Repeated, Results, ResultsSpec, Subgroups, notes};
use brainmae_run::Manifest;
use brainmae_run::table::read_table;

use super::{ReportData, Setting};
use crate::facts::flatten;
use crate::{FactGroup, Result};

impl ReportData {
    /// Reads the tables `predictions` and `results` of a run, and its notes; and the tables
    /// `subgroups` and `repeated`, which not every run has.
    ///
    /// # Errors
    /// If one of the first three is missing, or if anything is damaged.
    pub fn read(run: &Path, setting: Setting) -> Result<Self> {
        let [subgroups, repeated] = ["subgroups", "repeated"];
        Ok(Self {
            setting,
            predictions: Predictions::from_table(&read_table(run, "predictions")?)?,
            results: Results::from_table(&read_table(run, "results")?)?,
            notes: notes::read(run)?,
            subgroups: optional(run, subgroups, || {
                Ok(Subgroups::from_table(&read_table(run, subgroups)?)?)
            })?,
            repeated: optional(run, repeated, || {
                Ok(Repeated::from_table(&read_table(run, repeated)?)?)
            })?,
        })
    }
}

/// What `read` gives if the run has the table `name`.
fn optional<T>(run: &Path, name: &str, read: impl FnOnce() -> Result<T>) -> Result<Option<T>> {
    let is_there = run.join(format!("{name}.parquet")).exists();
    is_there.then(read).transpose()
}

impl Setting {
    /// Setting of a run, from its manifest.
    pub fn of_run(run: &Path, manifest: &Manifest) -> Self {
        let config = &manifest.config;
        // Two possible keys of the spec; an older run may have none, and gets the defaults.
        let spec = ["/downstream/results", "/results"].into_iter();
        let spec = spec.filter_map(|place| config.pointer(place));
        let spec = spec.filter_map(|spec| serde_json::from_value::<ResultsSpec>(spec.clone()).ok());
        let text = |name: &str| config.get(name).and_then(|value| value.as_str());
        let mut of_run = vec![
            ("run".to_string(), run.display().to_string()),
            ("identity".to_string(), manifest.identity.to_string()),
            ("seed".to_string(), manifest.seed.to_string()),
            ("device".to_string(), manifest.device.clone()),
        ];
        let inputs = manifest.inputs.iter();
        of_run.extend(inputs.map(|(name, hash)| (format!("input {name}"), hash.clone())));
        let versions = manifest.versions.iter();
        let version_of = |(name, version): (&String, &String)| {
            let name = format!("version of {name}");
            (name, version.clone())
        };
        of_run.extend(versions.map(version_of));
        let mut asked = Vec::new();
        flatten("", config, &mut asked);
        Self {
            title: manifest.experiment.clone(),
            lead: text("about").unwrap_or_default().to_string(),
            spec: spec.into_iter().next().unwrap_or_default(),
            seed: manifest.seed,
            facts: vec![
                FactGroup::new("Run", of_run),
                FactGroup::new("Configuration", asked),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_tells_how_scores_were_computed() {
        let config = serde_json::json!({
            "about": "Who is who?",
            "downstream": { "results": { "resamples": 77 } },
        });
        let manifest = Manifest::new("states", "downstream", config, [].into(), 5, "cpu");
        let setting = Setting::of_run(Path::new("run"), &manifest);
        assert_eq!((setting.title.as_str(), setting.seed), ("states", 5));
        assert_eq!(setting.lead, "Who is who?");
        assert_eq!(setting.spec.resamples, 77);
        let asked = &setting.facts[1].rows;
        assert!(asked.contains(&("downstream.results.resamples".into(), "77".into())));
    }
}
