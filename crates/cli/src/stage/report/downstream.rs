//! From a finished run of predictions to its report.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use brainmae_downstream::ResultsSpec;
use brainmae_machine::workspace;
use brainmae_run::Manifest;

use super::reconstruction::flatten;
use crate::report::FactGroup;
use crate::report::downstream::{self, Setting};

/// Writes `report.html` into the run folder. Returns the page's path.
///
/// # Errors
/// If a table, the notes or the manifest is missing or damaged.
pub fn write(run: &Path) -> Result<PathBuf> {
    let manifest = Manifest::read(&run.join("manifest.json"))?;
    downstream::write(run, &setting(run, &manifest))
        .with_context(|| format!("reading the run {}", workspace::shown(run)))
}

/// What a manifest says of its run.
fn setting(run: &Path, manifest: &Manifest) -> Setting {
    let config = &manifest.config;
    // Where the stage keeps it; an older run may not say, and has the defaults.
    let spec = ["/downstream/results", "/results"].into_iter();
    let spec = spec.filter_map(|place| config.pointer(place));
    let spec = spec.filter_map(|spec| serde_json::from_value::<ResultsSpec>(spec.clone()).ok());
    let text = |name: &str| config.get(name).and_then(|value| value.as_str());
    let mut of_run = vec![
        ("run".to_string(), workspace::shown(run)),
        ("identity".to_string(), manifest.identity.to_string()),
        ("seed".to_string(), manifest.seed.to_string()),
        ("device".to_string(), manifest.device.clone()),
    ];
    let inputs = manifest.inputs.iter();
    of_run.extend(inputs.map(|(name, hash)| (format!("input {name}"), hash.clone())));
    let versions = manifest.versions.iter();
    of_run.extend(versions.map(|(name, version)| (format!("version of {name}"), version.clone())));
    let mut asked = Vec::new();
    flatten("", config, &mut asked);
    let group = |name: &str, rows| FactGroup {
        name: name.to_string(),
        rows,
    };
    Setting {
        title: manifest.experiment.clone(),
        lead: text("about").unwrap_or_default().to_string(),
        spec: spec.into_iter().next().unwrap_or_default(),
        seed: manifest.seed,
        facts: vec![group("Run", of_run), group("Configuration", asked)],
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
        let setting = setting(Path::new("run"), &manifest);
        assert_eq!((setting.title.as_str(), setting.seed), ("states", 5));
        assert_eq!(setting.lead, "Who is who?");
        assert_eq!(setting.spec.resamples, 77);
        let asked = &setting.facts[1].rows;
        assert!(asked.contains(&("downstream.results.resamples".into(), "77".into())));
    }
}
