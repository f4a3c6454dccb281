//! Config of an experiment: the content of its TOML file.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use brainmae_data::{SegmentSpec, SplitSpec};
use brainmae_pretrain::reconstruction::ReconstructionConfig;
use brainmae_pretrain::{SelfSupervised, TrainConfig};
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::{DataConfig, DownstreamConfig, Files};
use crate::{ModelTable, Registry};

/// Config of one experiment, with every default written out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExperimentConfig {
    /// Question of the experiment, for the report.
    #[serde(default)]
    pub about: String,
    /// Seed of weights, batches and masks.
    #[serde(default)]
    pub seed: u64,
    /// Seeds of several repetitions, in place of `seed`: the experiment is run once with each, and
    /// a table has mean and standard deviation over them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// Seed of the split. It is separate, so repetitions with other seeds keep the split.
    #[serde(default)]
    pub split_seed: u64,
    /// Source of the data.
    pub data: DataConfig,
    /// Lengths of segments and samples.
    #[serde(default)]
    pub segments: SegmentSpec,
    /// Division of the subjects into training, validation and test sets.
    #[serde(default)]
    pub split: SplitSpec,
    /// A split from a file, in place of `split`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split_file: Option<SplitFileChoice>,
    /// Kind of the model, with its sizes and ablation switches.
    #[serde(default)]
    pub model: ModelTable,
    /// Settings of the pretext task: for BrainMAE masking and loss, called `[mask]`.
    #[serde(default, alias = "mask")]
    pub objective: Table,
    /// Optimiser and length of training.
    #[serde(default)]
    pub train: TrainConfig,
    /// Scores of the reconstruction.
    #[serde(default)]
    pub reconstruction: ReconstructionConfig,
    /// Targets that are predicted from the scans.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub downstream: Option<DownstreamConfig>,
    /// Models to train: each is a set of changes to the tables above.
    #[serde(default)]
    pub variants: BTreeMap<String, Table>,
}

/// One split of a file that `data split` wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SplitFileChoice {
    /// Path of the split file, see [`Files`].
    pub path: PathBuf,
    /// Number of the fold to test, from 1.
    #[serde(default = "first_fold")]
    pub fold: usize,
}

fn first_fold() -> usize {
    1
}

/// An experiment with the resolved configs of its variants.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// Name of the experiment.
    pub name: String,
    /// Lookup of the paths in the experiment's file.
    pub files: Files,
    /// Config without the changes of variants.
    pub base: ExperimentConfig,
    /// The models to train.
    pub variants: Vec<Variant>,
    /// Models and learners that the experiment can name.
    pub registry: Registry,
}

/// A model to train.
#[derive(Clone, Debug)]
pub struct Variant {
    /// Name in tables and folders.
    pub name: String,
    /// Config of the experiment with the variant's changes.
    pub config: ExperimentConfig,
    /// The model with its pretext task.
    pub model: Arc<dyn SelfSupervised>,
}

impl Variant {
    fn new(name: &str, config: ExperimentConfig, registry: &Registry) -> Result<Self> {
        Ok(Self {
            name: name.to_string(),
            model: registry.configure(&config.model, &config.objective)?,
            config,
        })
    }
}

impl Resolved {
    /// Parses the experiment in `text` with the models and learners of `registry`, and applies
    /// `sets` (`key.key=value`) before the variants' own changes.
    ///
    /// # Errors
    /// If the text is not valid TOML, or has unknown keys or values out of range.
    pub fn parse(name: &str, text: &str, sets: &[String], registry: &Registry) -> Result<Self> {
        // The unchanged file is parsed first, because its errors show the line.
        toml::from_str::<ExperimentConfig>(text)?;
        let mut table: Table = toml::from_str(text)?;
        for set in sets {
            apply(&mut table, set).with_context(|| format!("--set {set}"))?;
        }
        let mut base: ExperimentConfig = Value::Table(table.clone()).try_into()?;
        base.data.origin()?;
        if base.split_file.is_some() && base.split != SplitSpec::default() {
            bail!("[split_file] and [split] are given: one of them says how to split");
        }
        for (at, seed) in base.seeds.iter().enumerate() {
            if base.seeds[..at].contains(seed) {
                bail!("seeds has {seed} twice: expected a different one for each repetition");
            }
        }
        let mut variants = Vec::new();
        for (variant, changes) in &base.variants {
            let mut table = table.clone();
            table.remove("variants");
            merge(&mut table, changes);
            let config: ExperimentConfig = Value::Table(table)
                .try_into()
                .with_context(|| format!("in [variants.{variant}]"))?;
            for (what, same) in [
                ("data", config.data == base.data),
                ("segments", config.segments == base.segments),
                ("seeds", config.seeds == base.seeds),
                (
                    "reconstruction",
                    config.reconstruction == base.reconstruction,
                ),
                (
                    "split",
                    config.split == base.split
                        && config.split_seed == base.split_seed
                        && config.split_file == base.split_file,
                ),
            ] {
                if !same {
                    bail!(
                        "[variants.{variant}] changes {what}: variants are compared on the same scans; write another experiment"
                    );
                }
            }
            let variant = Variant::new(variant, config, registry)
                .with_context(|| format!("in [variants.{variant}]"))?;
            variants.push(variant);
        }
        if variants.is_empty() {
            variants.push(Variant::new("model", base.clone(), registry)?);
        }
        if let Some(downstream) = &mut base.downstream {
            downstream.name_models(&variants)?;
            let kind = downstream.variant(&variants)?.model.encoder_kind().name;
            downstream.check(registry.learners(), kind)?;
        }
        Ok(Self {
            name: name.to_string(),
            files: Files::default(),
            base,
            variants,
            registry: registry.clone(),
        })
    }
}

impl Resolved {
    /// The experiment with one seed for itself and all its variants.
    pub fn of_seed(&self, seed: u64) -> Self {
        let with = |config: &ExperimentConfig| ExperimentConfig {
            seed,
            seeds: Vec::new(),
            ..config.clone()
        };
        let variants = self.variants.iter().map(|variant| Variant {
            config: with(&variant.config),
            ..variant.clone()
        });
        Self {
            base: with(&self.base),
            variants: variants.collect(),
            ..self.clone()
        }
    }

    /// The experiment once with each of its seeds: the experiment itself if it has one.
    pub fn repetitions(&self) -> Vec<Self> {
        match self.base.seeds.as_slice() {
            [] => vec![self.clone()],
            seeds => seeds.iter().map(|seed| self.of_seed(*seed)).collect(),
        }
    }
}

/// Sets `a.b.c=value` in a table; a value that is not valid TOML is a string.
fn apply(table: &mut Table, set: &str) -> Result<()> {
    let (path, value) = set.split_once('=').context("expected key=value")?;
    let value = format!("value = {value}")
        .parse::<Table>()
        .ok()
        .and_then(|mut table| table.remove("value"))
        .unwrap_or_else(|| Value::String(value.to_string()));
    let mut change = value;
    for key in path.trim().split('.').rev() {
        change = Value::Table(Table::from_iter([(key.to_string(), change)]));
    }
    if let Value::Table(change) = change {
        merge(table, &change);
    }
    Ok(())
}

fn merge(table: &mut Table, changes: &Table) {
    for (key, change) in changes {
        match (table.get_mut(key), change) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            _ => {
                table.insert(key.clone(), change.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        seed = 3
        [data]
        source = "datasets/haxby2001"
        [model]
        d_model = 32
        [variants.sg]
        [variants.ag]
        model.tse = "adaptive"
    "#;

    fn parse(text: &str, sets: &[&str]) -> Result<Resolved> {
        let sets: Vec<String> = sets.iter().map(|s| s.to_string()).collect();
        Resolved::parse("test", text, &sets, &Registry::built_in())
    }

    fn message(result: Result<Resolved>) -> String {
        format!("{:#}", result.expect_err("wrong on purpose"))
    }

    #[test]
    fn variants_change_what_they_name_and_keep_the_rest() {
        let experiment = parse(TEXT, &["model.n_heads=8"]).expect("valid");
        let [ag, sg] = &experiment.variants[..] else {
            panic!("two variants")
        };
        assert_eq!([&ag.name, &sg.name], ["ag", "sg"]);
        let settings = [ag, sg].map(|variant| &variant.model.model().config);
        assert_eq!(
            settings.map(|config| &config["tse"]),
            ["adaptive", "static"]
        );
        for (variant, config) in [ag, sg].into_iter().zip(settings) {
            assert_eq!(config["d_model"], 32);
            assert_eq!((&config["n_heads"], variant.config.seed), (&8.into(), 3));
        }
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        let text = TEXT.replace("[model]", "[modle]");
        let error = parse(&text, &[]).expect_err("no such table");
        assert!(format!("{error:#}").contains("modle"));
        assert_eq!(
            crate::hint::hint(&error).as_deref(),
            Some("did you mean `model`?")
        );
        assert!(message(parse(TEXT, &["train.stesp=3"])).contains("stesp"));
    }

    #[test]
    fn a_wrong_setting_of_the_model_is_told_with_its_table() {
        let error = parse(TEXT, &["model.d_modle=3"]).expect_err("no such setting");
        let text = format!("{error:#}");
        assert!(
            text.contains("[model]") && text.contains("d_modle"),
            "{text}"
        );
        assert_eq!(
            crate::hint::hint(&error).as_deref(),
            Some("did you mean `d_model`?")
        );
        let text = message(parse(TEXT, &["mask.lambda=many"]));
        assert!(text.contains("[mask]") && text.contains("lambda"), "{text}");
        let error = parse(TEXT, &["model.kind=brainmea"]).expect_err("no such kind");
        assert!(format!("{error:#}").contains("model.kind"));
        assert_eq!(
            crate::hint::hint(&error).as_deref(),
            Some("did you mean `brainmae`?")
        );
    }

    #[test]
    fn variants_share_their_scans() {
        let text = TEXT.replace("model.tse = \"adaptive\"", "split.test_fraction = 0.5");
        assert!(message(parse(&text, &[])).contains("variants are compared on the same scans"));
    }

    #[test]
    fn a_repetition_has_one_seed_for_all_variants() {
        let experiment = parse(TEXT, &["seeds=[5, 2]"]).expect("valid");
        let repetitions = experiment.repetitions();
        let seeds: Vec<u64> = repetitions.iter().map(|one| one.base.seed).collect();
        assert_eq!(seeds, [5, 2]);
        let last = &repetitions[1];
        assert!(last.base.seeds.is_empty());
        assert!(last.variants.iter().all(|variant| variant.config.seed == 2));
        let one = parse(TEXT, &[]).expect("valid").repetitions();
        assert_eq!((one.len(), one[0].base.seed), (1, 3));
        assert!(message(parse(TEXT, &["seeds=[5, 2, 5]"])).contains("seeds has 5 twice"));
        let text = TEXT.replace("model.tse = \"adaptive\"", "seeds = [1]");
        assert!(message(parse(&text, &[])).contains("changes seeds"));
    }

    #[test]
    fn memory_for_scans_is_found_out_unless_it_is_given() {
        let budget = |sets: &[&str]| parse(TEXT, sets).expect("valid").base.data.budget();
        assert_eq!(
            budget(&["data.memory_gib=0.5"]).expect("some").left(),
            1 << 29
        );
        assert!(budget(&[]).expect("some").left() >= 1 << 30);
        let error = budget(&["data.memory_gib=-1.0"]).expect_err("less than nothing");
        assert!(format!("{error:#}").contains("data.memory_gib is -1"));
    }

    #[test]
    fn a_set_value_is_toml_or_a_word() {
        let experiment = parse(
            TEXT,
            &["model.tse=adaptive", "mask.ratio=[0.2,0.4]", "seed=9"],
        );
        let experiment = experiment.expect("valid");
        let model = &experiment.variants[0].model;
        assert_eq!(model.model().config["tse"], "adaptive");
        let (table, settings) = model.pretext();
        assert_eq!(
            (table, &settings["ratio"]),
            ("mask", &serde_json::json!([0.2, 0.4]))
        );
        assert_eq!(experiment.base.seed, 9);
    }
}
