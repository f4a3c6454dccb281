//! The `[downstream]` table of an experiment file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use brainmae_data::{FoldBy, FoldSpec};
use brainmae_downstream::encoders::{FineTuneConfig, Readout};
use brainmae_downstream::linear::spec::LinearSpec;
use brainmae_downstream::neural::Budget;
use brainmae_downstream::registry::{PLACE, REFERENCE};
use brainmae_downstream::{LearnerKinds, ResultsSpec, TargetSpec};
use serde::{Deserialize, Serialize};

use super::Variant;
use crate::stage::refusal;

/// Targets, models and scores of predictions. All targets and models share the folds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DownstreamConfig {
    /// Targets by name.
    pub targets: BTreeMap<String, TargetSpec>,
    /// Names of the models that predict; without any name, these are the baselines that run on a
    /// laptop, and the variant's model from scratch, frozen and fine-tuned. With a target of
    /// segments, the place in the scan is always among them.
    #[serde(default)]
    pub models: Vec<String>,
    /// Folds, which keep subjects and families together.
    #[serde(default)]
    pub folds: FoldSpec,
    /// Number of further partitions into folds on which linear models are fitted again; 0 is left
    /// out of a run's identity.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeats: u32,
    /// Shares of the training set to learn from; several shares give a label-efficiency curve.
    #[serde(default = "everyone")]
    pub train_shares: Vec<f64>,
    /// Variant whose model predicts; by default the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<String>,
    /// Source of the pretrained weights.
    #[serde(default)]
    pub pretrain: Pretraining,
    /// Settings of fine-tuning.
    #[serde(default)]
    pub finetune: FineTuneConfig,
    /// What fine-tuning and the linear probe read of an encoder: `"cls"`, `"mean"` or `"cls+mean"`.
    #[serde(default)]
    pub readout: Readout,
    /// Preprocessing for linear models of signals; the default is left out of a run's identity.
    #[serde(default, skip_serializing_if = "LinearSpec::is_default")]
    pub linear: LinearSpec,
    /// Columns of the tables of subjects and scans that are confounds besides age, sex, site and
    /// motion; none is left out of a run's identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confounds: Vec<String>,
    /// Training budget of neural baselines.
    #[serde(default = "Budget::lite")]
    pub neural: Budget,
    /// Settings of intervals and tests.
    #[serde(default)]
    pub results: ResultsSpec,
}

/// Source of the pretrained weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pretraining {
    /// Each fold pretrains its own model, without the subjects of its test set.
    #[default]
    PerFold,
    /// Folder of a checkpoint, see [`Files`](super::Files). A subject that it has seen must not be
    /// in a test set.
    Checkpoint(PathBuf),
}

/// Baselines that run on a laptop.
const BASELINES: [&str; 7] = [
    "constant",
    "confounds",
    "mean-signal",
    REFERENCE,
    "tangent",
    "mean-mlp",
    "bnt",
];

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn everyone() -> Vec<f64> {
    vec![1.0]
}

impl DownstreamConfig {
    /// The variant whose model predicts.
    ///
    /// # Errors
    /// If there is no such variant.
    pub fn variant<'a>(&self, variants: &'a [Variant]) -> Result<&'a Variant> {
        let mut all = variants.iter();
        let found = match &self.variant {
            None => all.next(),
            Some(wanted) => all.find(|variant| variant.name == *wanted),
        };
        found.with_context(|| {
            let known: Vec<&str> = variants.iter().map(|v| v.name.as_str()).collect();
            format!(
                "downstream.variant is {:?}, expected one of {known:?}",
                self.variant
            )
        })
    }

    /// Names the models that predict, if the experiment names none. The place in the scan is added
    /// if a target is of segments: a model of states must be better than it.
    ///
    /// # Errors
    /// As [`DownstreamConfig::variant`].
    pub fn name_models(&mut self, variants: &[Variant]) -> Result<()> {
        let kind = self.variant(variants)?.model.encoder_kind().name;
        if self.models.is_empty() {
            self.models = BASELINES.map(String::from).to_vec();
            let of_kind = ["-scratch", "-probe", ""].map(|suffix| format!("{kind}{suffix}"));
            self.models.extend(of_kind);
        }
        let is_of_segments = self.targets.values().any(TargetSpec::is_of_segments);
        if is_of_segments && !self.models.iter().any(|name| name == PLACE) {
            self.models.push(PLACE.to_string());
        }
        Ok(())
    }

    /// Checks all settings; `learners` are the models that are known, `kind` is that of the model
    /// of the variant.
    ///
    /// # Errors
    /// Names the first invalid setting.
    pub fn check(&self, learners: &LearnerKinds, kind: &str) -> Result<()> {
        ensure!(
            !self.targets.is_empty(),
            "downstream.targets is empty\nhint: name what to predict, as in [downstream.targets.age] with column = \"age_years\""
        );
        for (name, target) in &self.targets {
            let in_table = |error| refusal::downstream("downstream", error);
            target.check(name).map_err(in_table)?;
        }
        for (number, column) in self.confounds.iter().enumerate() {
            ensure!(
                !column.is_empty() && !self.confounds[..number].contains(column),
                "downstream.confounds has {column:?} {}, expected distinct names of columns",
                if column.is_empty() {
                    "as a name"
                } else {
                    "twice"
                }
            );
        }
        for share in &self.train_shares {
            ensure!(
                *share > 0.0 && *share <= 1.0,
                "downstream.train_shares has {share}, expected shares above 0 and up to 1"
            );
        }
        let in_table = |error| refusal::downstream("downstream.linear", error);
        self.linear.check().map_err(in_table)?;
        ensure!(
            self.folds.by != FoldBy::Site || self.linear.harmonise.is_none(),
            "downstream.folds.by is \"site\" and downstream.linear.harmonise is set: the effect of a site is learned from its training subjects, and a tested site has none\nhint: leave one of them out"
        );
        ensure!(
            self.folds.validation_fraction > 0.0,
            "downstream.folds.validation_fraction is 0: nobody would decide on penalties and on when to stop"
        );
        let mut named = BTreeMap::new();
        for name in &self.models {
            let learner = learners.find(name).context("in downstream.models")?;
            if learner.name() != name {
                tracing::warn!(
                    "downstream.models has {name}, an earlier name of {}: use the new one in new experiments",
                    learner.name()
                );
            }
            if let Some(before) = named.insert(learner.name(), name) {
                bail!(
                    "downstream.models has the model {} twice, as {before} and as {name}\nhint: remove one",
                    learner.name()
                );
            }
            let encoder = learner.encoder().unwrap_or(kind);
            ensure!(
                encoder == kind,
                "downstream.models has {name}, which needs a model of the kind {encoder}, but the variant's model.kind is {kind}"
            );
        }
        let reference = learners.find(REFERENCE)?;
        for kind in [
            brainmae_downstream::Kind::Regression,
            brainmae_downstream::Kind::Classification { n_classes: 2 },
        ] {
            let has_linear = self.results.linear.contains(&reference.title(kind));
            ensure!(
                self.models.iter().any(|name| name == REFERENCE) && has_linear,
                "downstream.models lacks fc, the linear model that every other one must beat\nhint: no table without it"
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Registry;
    use crate::experiment::Resolved;

    fn parse(linear: &str) -> Result<DownstreamConfig> {
        let mut config: DownstreamConfig =
            toml::from_str(&format!("[targets.age]\ncolumn = \"age_years\"\n{linear}"))?;
        config.models = vec![REFERENCE.to_string()];
        config.check(&LearnerKinds::built_in(), "brainmae")?;
        Ok(config)
    }

    /// Part of the config in a run's identity.
    fn identity(linear: &str) -> serde_json::Value {
        serde_json::to_value(parse(linear).expect("valid")).expect("serialisable")
    }

    #[test]
    fn a_target_of_segments_brings_the_place_in_the_scan() {
        let named = |target: &str, models: &str| -> Vec<String> {
            let text = format!(
                "[data]\nsource = \"x\"\n[downstream]\nmodels = {models}\n[downstream.targets.t]\n{target}"
            );
            let resolved = Resolved::parse("t", &text, &[], &Registry::built_in());
            let downstream = resolved.expect("valid").base.downstream;
            downstream.expect("targets").models
        };
        assert_eq!(named("state = {}", "[\"fc\"]"), ["fc", "time"]);
        assert_eq!(named("state = {}", "[\"time\", \"fc\"]"), ["time", "fc"]);
        assert_eq!(named("column = \"age_years\"", "[\"fc\"]"), ["fc"]);
        assert!(named("state = {}", "[]").len() > 5);
        assert_eq!(named("state = {}", "[]").last().expect("some"), PLACE);
    }

    #[test]
    fn an_earlier_name_is_understood_and_one_model_is_named_once() {
        let check = |models: &[&str]| {
            let mut config = parse("").expect("valid");
            config.models = models.iter().map(|name| name.to_string()).collect();
            config.check(&LearnerKinds::built_in(), "brainmae")
        };
        check(&["fc", "fc-tangent", "tangent"]).expect("fc-log and tangent");
        let twice = check(&["fc", "fc-tangent", "fc-log"]).expect_err("one model");
        insta::assert_snapshot!(twice, @r"
        downstream.models has the model fc-log twice, as fc-tangent and as fc-log
        hint: remove one
        ");
    }

    #[test]
    fn what_linear_models_do_is_part_of_the_identity_only_where_it_is_something() {
        let without = identity("");
        assert!(without.get("linear").is_none());
        assert_eq!(without, identity("[linear]\nregress_confounds = false"));
        assert_eq!(without, identity("[folds]\nby = \"subject\""));
        let all = [
            without,
            identity("[linear]\nregress_confounds = true"),
            identity("[linear]\nharmonise = \"combat\""),
            identity("[linear]\nharmonise = \"combat-preserving\""),
            identity("[folds]\nby = \"site\""),
            identity("[linear]\npca = 20"),
            identity("[linear]\npca = 21"),
            identity("[linear]\nregress_confounds = true\npca = 20"),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one), "{one}");
        }
    }

    #[test]
    fn repeats_are_part_of_the_identity_only_where_there_are_some() {
        let config = |repeats: &str| -> serde_json::Value {
            let text = format!("{repeats}\n[targets.age]\ncolumn = \"age_years\"");
            let config: DownstreamConfig = toml::from_str(&text).expect("known keys");
            serde_json::to_value(config).expect("JSON")
        };
        assert!(config("").get("repeats").is_none());
        assert_eq!(config(""), config("repeats = 0"));
        assert_eq!(config("repeats = 10")["repeats"], 10);
    }

    #[test]
    fn confounds_are_part_of_the_identity_only_where_there_are_some() {
        let config = |text: &str| -> DownstreamConfig {
            let text = format!("{text}models = [\"fc\"]\n[targets.sex]\ncolumn = \"sex\"");
            toml::from_str(&text).expect("known keys")
        };
        let identity = |config: &DownstreamConfig| serde_json::to_value(config).expect("JSON");
        let none = config("");
        assert!(identity(&none).get("confounds").is_none());
        let some = config("confounds = [\"head_size\"]\n");
        assert_eq!(
            identity(&some)["confounds"],
            serde_json::json!(["head_size"])
        );
        let learners = LearnerKinds::built_in();
        some.check(&learners, "brainmae").expect("valid");
        for (list, expected) in [("\"a\", \"a\"", "\"a\" twice"), ("\"\"", "\"\" as a name")] {
            let wrong = config(&format!("confounds = [{list}]\n"));
            let error = wrong.check(&learners, "brainmae").expect_err("wrong");
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn settings_of_linear_models_that_make_no_sense_are_refused() {
        let message = |linear| format!("{:#}", parse(linear).expect_err("wrong on purpose"));
        let none = message("[linear]\npca = 0");
        assert!(
            none.contains("downstream.linear.pca is 0, expected at least 1"),
            "{none}"
        );
        let unknown = message("[folds]\nby = \"site\"\n[linear]\nharmonise = \"combat\"");
        assert!(unknown.contains("a tested site has none"), "{unknown}");
        assert!(parse("[folds]\nby = \"site\"").is_ok());
        assert!(message("[linear]\npac = 3").contains("unknown field `pac`"));
    }
}
